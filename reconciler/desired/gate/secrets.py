"""Secrets in files: detect-secrets with its plugins, and nothing of what it finds in the answer.

Rule 1: The scan is never left out silently: without the library there is an error with its extra.
Rule 2: An answer says file, line and kind. The secret itself leaves this module in no form.
Rule 3: A line cannot excuse itself. ``pragma: allowlist secret`` turns an error into a warning, so
that whoever writes a secret does not decide alone that it is none.
Rule 4: Nothing is asked of a network: detect-secrets' verification stays off.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any

from reconciler.desired.gate.public_forms import masked
from reconciler.errors import MachineError, Where
from reconciler.model.review import Remark

MAX_FILE = 1024 * 1024
MAX_FOUND = 1000
_CHUNK, _OVERLAP = 2000, 200
"""Long lines are looked at in parts: some of the expressions are slow on minified text."""

_NOT_SECRET = {"IPPublicDetector"}
"""A fleet lists addresses by design; an address is no credential."""
_FILTERS = (
    "is_sequential_string",
    "is_potential_uuid",
    "is_templated_secret",
    "is_prefixed_with_dollar_sign",
    "is_indirect_reference",
    "is_not_alphanumeric_string",
)
_NO_VALUE = {"", "true", "false", "null", "none", "yes", "no"}
"""``password_suffices: false`` is a setting."""
_EXCUSED = re.compile(r"pragma: ?(?:allowlist|whitelist)[ -]secret", re.IGNORECASE)
_PLAIN = {"", ".conf", ".env", ".txt"}
"""Read like settings: of a file of no known kind, detect-secrets looks at quoted values only."""
_ENTROPY = re.compile(r"High Entropy")
_TOKEN = re.compile(
    r"(?<![\w+/=.-])(?=[\w+/=-]*[0-9])(?=[\w+/=-]*[A-Za-z])[\w+/=-]{20,200}(?![\w.])"
)
_HINT = (
    "Take it out of the change and of its history, replace it where it is used, and keep it in a "
    "file that only the machine has."
)

Scan = Callable[[str, str, int], Iterator[str]]


def find_secrets(
    files: Mapping[str, bytes], only: Mapping[str, Collection[int]] | None = None
) -> list[Remark]:
    """What looks like a secret.

    Args:
        files: Content by path.
        only: Line numbers that count, by path; ``None``: every line. What is before and after
            them still says what they are (a certificate's body).

    Returns:
        An error for each line and kind; a warning where the line says that it is none, and for
        each file that is too large to be looked at.

    Raises:
        MachineError: detect-secrets is not installed.
    """
    found: list[Remark] = []
    with _scanner() as scan:
        for path, data in sorted(files.items()):
            found += _in_file(scan, path, data, None if only is None else only.get(path, ()))
            if len(found) > MAX_FOUND:
                return [*found[:MAX_FOUND], _remark("error", path, 0, "more than can be listed")]
    return found


def _in_file(scan: Scan, path: str, data: bytes, only: Collection[int] | None) -> Iterator[Remark]:
    if len(data) > MAX_FILE:
        what = f"is larger than {MAX_FILE // 1024} KiB and was not looked at for secrets"
        yield Remark("warning", "secret", Where(path), what, "Keep large files elsewhere.")
        return
    # As Git counts lines; other ends of line would shift the numbers of what is new.
    lines = data.decode("utf-8", "replace").split("\n")
    known = path if PurePosixPath(path).suffix not in _PLAIN else f"{path}.yaml"
    for number, line in enumerate(masked(path, lines), 1):
        if only is not None and number not in only:
            continue
        excused = _EXCUSED.search(line) is not None
        kinds = {kind for part in _parts(line) for kind in scan(known, part, number)}
        for kind in sorted(kinds):
            yield _remark("warning" if excused else "error", path, number, kind)


def _remark(severity: Any, path: str, line: int, kind: str) -> Remark:
    excuse = "; the line says that it is none" if severity == "warning" else ""
    message = f"looks like a secret ({kind}){excuse}"
    return Remark(severity, "secret", Where(path, line or None), message, _HINT)


def _parts(line: str) -> Iterator[str]:
    for start in range(0, max(len(line), 1), _CHUNK - _OVERLAP):
        yield line[start : start + _CHUNK]
        if start + _CHUNK >= len(line):
            return


@contextmanager
def _scanner() -> Iterator[Scan]:
    """The plugins, set up for the time of one scan (detect-secrets keeps its settings globally)."""
    try:
        from detect_secrets.core.plugins.util import (  # noqa: PLC0415 - lazy: the extra "gate"
            get_mapping_from_secret_type_to_class,
        )
        from detect_secrets.settings import (  # noqa: PLC0415 - lazy: the extra "gate"
            get_filters,
            get_plugins,
            transient_settings,
        )
    except ModuleNotFoundError as error:
        raise MachineError(
            "the scan for secrets needs detect-secrets, which is not installed",
            hint="pip install 'reconciler[gate]', or leave the scan out on purpose: --no-secrets",
        ) from error
    known: Mapping[str, type] = get_mapping_from_secret_type_to_class()
    names = {kind.__name__ for kind in known.values()}
    config = {
        "plugins_used": [{"name": name} for name in sorted(names - _NOT_SECRET)],
        "filters_used": [{"path": f"detect_secrets.filters.heuristic.{f}"} for f in _FILTERS],
    }
    with transient_settings(config):
        # Two filters that are always on ask the disk, and by name: neither holds for a revision.
        wanted = [f for f in get_filters() if f.__name__ in _FILTERS]
        yield _scan_with(get_plugins(), wanted)


def _scan_with(plugins: Collection[Any], filters: Collection[Any]) -> Scan:
    entropy = [plugin for plugin in plugins if _ENTROPY.search(plugin.secret_type)]

    def scan(path: str, line: str, number: int) -> Iterator[str]:
        for plugin in plugins:
            found = plugin.analyze_line(filename=path, line=line, line_number=number)
            if any(not _let_off(s.secret_value, line, filters) for s in found or ()):
                yield plugin.secret_type
        # The entropy plugins look at quoted strings only; YAML need not quote.
        for token in _TOKEN.findall(line):
            quoted = f'"{token}"'
            for plugin in entropy:
                found = plugin.analyze_line(filename=path, line=quoted, line_number=number)
                if any(not _let_off(s.secret_value, quoted, filters) for s in found or ()):
                    yield plugin.secret_type

    return scan


def _let_off(secret: str | None, line: str, filters: Collection[Any]) -> bool:
    if secret is None or secret.lower() in _NO_VALUE:
        return True
    values = {"secret": secret, "line": line}
    return any(
        each(**{name: values[name] for name in each.injectable_variables}) for each in filters
    )
