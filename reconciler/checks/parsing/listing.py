"""What lies in directories, as the probe `Entries` answers, and whose it is."""

from collections.abc import Mapping
from posixpath import normpath

from reconciler.checks.parsing.records import MAX_RECORDS
from reconciler.checks.parsing.shapes import stats
from reconciler.errors import Unobservable
from reconciler.model.answer import Answers, describe
from reconciler.model.nixos_probe import Entries
from reconciler.model.probe import StatPaths

LINK = "-> "
_STATIC = "/etc/static/"
_OF_THE_STORE = ("/nix/store/", _STATIC)
_KINDS = frozenset({"dir", "file", "other"})


def entries(answers: Answers, probe: Entries) -> Mapping[str, str]:
    """Kind of every entry by its path: ``dir``, ``file``, ``other``, or ``-> target``.

    Raises:
        Unobservable: It was not listed, or the answer has another shape.
    """
    found = answers.data(probe)
    if not isinstance(found, Mapping) or len(found) > MAX_RECORDS:
        raise Unobservable(f"{describe(probe)}: the answer is not a listing")
    for path, kind in found.items():
        if not isinstance(path, str) or not isinstance(kind, str) or not _fits(path, kind, probe):
            raise Unobservable(f"{describe(probe)}: the answer is not a listing")
    return found


def files_in(listing: Mapping[str, str], directory: str) -> tuple[str, ...]:
    """Names of what lies in a directory and is no link that activation made, sorted.

    A link right into the store is not: whoever may build can put a file there.
    """
    prefix = f"{directory}/"
    return tuple(
        sorted(
            path.removeprefix(prefix)
            for path, kind in listing.items()
            if path.startswith(prefix) and kind != "dir" and not _leads_below(kind, _STATIC)
        )
    )


def linked(answers: Answers, probe: StatPaths) -> frozenset[str]:
    """Directories that are links, without their first slash: programs follow, `Entries` does not.

    Raises:
        Unobservable: They could not be looked at.
    """
    return frozenset(
        fact.path.removeprefix("/") for fact in stats(answers, probe) if fact.type == "link"
    )


def in_store(kind: str) -> bool:
    """Whether an entry is a link into the store, or to what activation links there."""
    return _leads_below(kind, *_OF_THE_STORE)


def _leads_below(kind: str, *directories: str) -> bool:
    """Whether an entry is a link to below one of them, ``..`` in it taken for what it is."""
    return kind.startswith(LINK) and normpath(kind.removeprefix(LINK)).startswith(directories)


def _fits(path: str, kind: str, probe: Entries) -> bool:
    known = kind in _KINDS or kind.startswith(LINK)
    return known and any(path.startswith(f"{directory}/") for directory in probe.directories)
