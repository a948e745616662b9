"""What lies in directories, as the probe `Entries` answers, and whose it is."""

from collections.abc import Mapping

from reconciler.checks.parsing.records import MAX_RECORDS
from reconciler.errors import Unobservable
from reconciler.model.answer import Answers, describe
from reconciler.model.nixos_probe import Entries

LINK = "-> "
_OF_THE_STORE = ("/nix/store/", "/etc/static/")
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
    """Names of what lies in a directory and comes from nowhere in the store, sorted."""
    prefix = f"{directory}/"
    return tuple(
        sorted(
            path.removeprefix(prefix)
            for path, kind in listing.items()
            if path.startswith(prefix) and kind != "dir" and not in_store(kind)
        )
    )


def in_store(kind: str) -> bool:
    """Whether an entry is a link into the store, or to what activation links there."""
    return kind.startswith(LINK) and kind.removeprefix(LINK).startswith(_OF_THE_STORE)


def _fits(path: str, kind: str, probe: Entries) -> bool:
    known = kind in _KINDS or kind.startswith(LINK)
    return known and any(path.startswith(f"{directory}/") for directory in probe.directories)
