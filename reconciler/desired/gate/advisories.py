"""What a scanner says, turned into the document that people sign.

Rule 1: The report is what grype, trivy and others write: CycloneDX JSON with ``vulnerabilities``.
        A bill of materials without them is no scan, and a scan that read no package found nothing
        because it looked at nothing: both are refused.
Rule 2: What is not understood is refused whole; a report with a hole in it would read as health.
Rule 3: An analysis in the report closes nothing: deciding is what people do, in the fleet.

Source: CycloneDX 1.4 to 1.7 (ECMA-424).
"""

import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reconciler.desired import layout, strict_yaml
from reconciler.errors import InputError, Where
from reconciler.model.system import STORE_PATH
from reconciler.model.vulnerabilities import (
    MOST_OPEN,
    AdvisoryId,
    OpenAdvisory,
    Severity,
    Tool,
    Vulnerabilities,
)

MAX_BYTES = 32 * 1024 * 1024

_WORST: tuple[Severity, ...] = ("critical", "high", "medium", "low", "info", "none", "unknown")
_OURS = "reconciler"
_FROM = re.compile(r"vers:[a-z0-9.+-]+/>=([^|]+)")
_HEAD = """\
# What a scanner found in one system. Written by reconciler advisories from the report of a scan;
# sign it as it is: docs/howto/vulnerabilities.md.
"""

_Short = Annotated[str, Field(max_length=2048)]


class _Part(BaseModel):
    """A part of the report: what is read of it has a type, what is not is passed over."""

    model_config = ConfigDict(strict=True, frozen=True)


class _Component(_Part):
    ref: _Short | None = Field(default=None, alias="bom-ref")
    name: _Short
    version: _Short | None = None
    components: tuple["_Component", ...] = ()


class _Tools(_Part):
    components: tuple[_Component, ...] = ()


class _Metadata(_Part):
    timestamp: _Short
    tools: _Tools | tuple[_Component, ...]
    component: _Component | None = None


class _Rating(_Part):
    severity: Severity = "unknown"


class _AffectedVersion(_Part):
    version: _Short | None = None
    range: _Short | None = None
    status: Literal["affected", "unaffected", "unknown"] = "affected"

    @property
    def mends(self) -> str | None:
        """The version that it names as free of it: alone, or as where a range begins."""
        begins = _FROM.fullmatch(self.range or "")
        named = begins[1] if begins else self.version
        return named if self.status == "unaffected" else None


class _Affected(_Part):
    ref: _Short
    versions: tuple[_AffectedVersion, ...] = ()


class _Vulnerability(_Part):
    id: AdvisoryId
    ratings: tuple[_Rating, ...] = ()
    affects: tuple[_Affected, ...] = Field(min_length=1)


class _Report(_Part):
    form: Literal["CycloneDX"] = Field(alias="bomFormat")
    version: Literal["1.4", "1.5", "1.6", "1.7"] = Field(alias="specVersion")
    metadata: _Metadata
    components: tuple[_Component, ...] = Field(min_length=1)
    vulnerabilities: tuple[_Vulnerability, ...]


def vulnerabilities_of(raw: bytes, system: str, as_of: date, now: datetime) -> Vulnerabilities:
    """The document that says what a report says.

    Args:
        raw: The report, CycloneDX JSON.
        system: Store path of the system that was scanned.
        as_of: Day of the advisories that the scanner had.
        now: No scan is later.

    Raises:
        InputError: It is no such report, it is about another system, or it holds more than a
            document may.
    """
    report = _read(raw)
    scanned = _moment(report.metadata.timestamp)
    if scanned > now:
        _refuse(f"was made at {scanned:%Y-%m-%dT%H:%M:%SZ}, which is still to come")
    about = report.metadata.component
    named = about.ref if about and about.ref and re.fullmatch(STORE_PATH, about.ref) else system
    if named != system:
        _refuse(f"is about {named}, not {system}")
    components = tuple(_flat(report.components))
    try:
        return Vulnerabilities(
            system=system,
            scanned=scanned.date(),
            advisories_as_of=as_of,
            tool=_tool(report.metadata),
            packages=len(components),
            open=_open(report, _by_ref(components, about)),
        )
    except ValidationError as problem:
        _refuse(_first(problem), problem)


def vulnerabilities_text(target: str, wanted: Vulnerabilities) -> str:
    """The file of a host's report.

    Args:
        target: ``<client>/<host>``.
        wanted: What it says.

    Raises:
        InputError: It would not say what was meant.
    """
    body = wanted.model_dump(mode="json")
    advisories = body.pop("open")
    # A JSON text is a YAML text, whatever is in it.
    lines = [f"{name}: {_plain(value)}\n" for name, value in body.items()]
    lines.append("open:\n" if advisories else "open: []\n")
    lines += [f"  - {_plain(one)}\n" for one in advisories]
    written, file = _HEAD + "".join(lines), layout.file_of("vulnerabilities", target)
    if strict_yaml.validate(strict_yaml.load(written.encode(), file), Vulnerabilities) != wanted:
        raise InputError(
            "cannot be written as it is meant", hint="Please report this.", where=Where(file)
        )
    return written


def _plain(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True)


def _read(raw: bytes) -> _Report:
    if len(raw) > MAX_BYTES:
        _refuse(f"is larger than {MAX_BYTES // 2**20} MiB")
    try:
        text = raw.decode()
        return _Report.model_validate(
            json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
        )
    except ValidationError as problem:
        _refuse(_first(problem), problem)
    except (ValueError, RecursionError) as problem:
        _refuse("is not JSON in which every name stands once", problem)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        # Without an offset nobody knows which day it was.
        if moment.tzinfo is None:
            raise ValueError("no offset")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as problem:
        _refuse("does not say when it was made: metadata.timestamp", problem)


def _by_ref(components: Sequence[_Component], about: _Component | None) -> dict[str, _Component]:
    """What an advisory may be of: a part, or what the report is about."""
    named = [(one.ref, one) for one in components if one.ref is not None]
    found = dict(named)
    if len(found) != len(named):
        _refuse("gives one bom-ref to two components")
    if about is not None and about.ref is not None:
        found.setdefault(about.ref, about)
    return found


def _flat(components: Sequence[_Component]) -> Iterator[_Component]:
    """Every component; those inside others, too."""
    for component in components:
        yield component
        yield from _flat(component.components)


def _tool(metadata: _Metadata) -> Tool:
    tools = metadata.tools.components if isinstance(metadata.tools, _Tools) else metadata.tools
    scanner = next((one for one in tools if one.name != _OURS), None)
    if scanner is None or scanner.version is None:
        _refuse("names no scanner, or not its version, under metadata.tools")
    return Tool(name=scanner.name, version=scanner.version)


def _open(report: _Report, components: dict[str, _Component]) -> tuple[OpenAdvisory, ...]:
    """Each advisory once for each version of a package, with the worst that anybody says of it."""
    found: dict[tuple[str, str, str], OpenAdvisory] = {}
    for one in report.vulnerabilities:
        for affected in one.affects:
            component = components.get(affected.ref)
            if component is None:
                _refuse(f"says {one.id} of a component that is not in it")
            advisory = _advisory(one, affected, component)
            before = found.get(advisory.what)
            found[advisory.what] = advisory if before is None else _worse(before, advisory)
        if len(found) > MOST_OPEN:
            _refuse(f"holds more than {MOST_OPEN} open advisories")
    return tuple(found[what] for what in sorted(found))


def _advisory(one: _Vulnerability, affected: _Affected, component: _Component) -> OpenAdvisory:
    mended = {version for each in affected.versions if (version := each.mends)}
    try:
        return OpenAdvisory(
            id=one.id,
            package=component.name,
            version=component.version or None,
            # Of several nobody says here which is meant.
            fixed=mended.pop() if len(mended) == 1 else None,
            severity=min((r.severity for r in one.ratings), key=_WORST.index, default="unknown"),
        )
    except ValidationError as problem:
        _refuse(f"on {one.id} {_first(problem)}", problem)


def _worse(one: OpenAdvisory, other: OpenAdvisory) -> OpenAdvisory:
    worst = min(one.severity, other.severity, key=_WORST.index)
    return one.model_copy(update={"severity": worst, "fixed": one.fixed or other.fixed})


def _first(problem: ValidationError) -> str:
    """The place of the first fault and what it is, never the value."""
    error = problem.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, error["loc"])) or "the whole"
    return f"has a fault at {place:.200}: {error['msg']:.200}"


def _refuse(what: str, cause: Exception | None = None) -> NoReturn:
    raise InputError(
        f"the report {what}",
        hint="Give what a scanner wrote: CycloneDX JSON with components and vulnerabilities.",
    ) from cause


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name twice")
    return {name: tuple(v) if isinstance(v, list) else v for name, v in members.items()}


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")
