"""The firewall opens what the configuration declares, nothing else, and refuses the rest.

The loaded rules are judged. ``backend`` means that there are no rules at all where some are
declared, ``ipv4`` and ``ipv6`` that a packet that no rule names comes in. iptables of today writes
nf_tables, so the two backends are told apart only where the kernel can.

Source: 45 CFR 164.312(a)(1), 164.312(e)(1); NIST SP 800-53 SC-7(5); NIXOS:V-268078.
"""

from collections.abc import Iterable

from reconciler.checks.parsing import declared
from reconciler.checks.parsing.declared import Drift
from reconciler.checks.parsing.packet_filter import RULES, inbound, open_ports
from reconciler.checks.parsing.records import Record, record, records
from reconciler.errors import Unobservable
from reconciler.model.answer import Answers
from reconciler.model.check import Check, NotApplicable, Values
from reconciler.model.expected import FIREWALL
from reconciler.model.probe import Probe
from reconciler.model.values import Params

_Span = tuple[int, int]


def _probes(_params: Params) -> tuple[Probe, ...]:
    return (declared.EXPECTATIONS, RULES)


def _parse(_params: Params, answers: Answers) -> Values | NotApplicable:
    document = declared.declared(answers)
    wanted = document.read(FIREWALL)
    answer = record(answers.data(RULES), "firewall")
    if not wanted.enabled:
        return NotApplicable("the configuration declares no firewall")
    live, asked = _spans(open_ports(answer)), _spans(wanted.open)
    drift = Drift(
        missing=set(_names(asked, live)),
        different=_different(answer, wanted.backend),
        undeclared=set(_names(live, asked)),
    )
    return declared.values(document, drift)


def _different(answer: Record, wanted: str) -> set[str]:
    backend = answer.text("backend")
    chains = records(answer.fields.get("chains"), "firewall chains")
    if backend == "iptables-legacy" and wanted == "iptables":
        raise Unobservable("firewall: rules of iptables-legacy cannot be read over nf_tables")
    if backend != "nftables":
        return {"backend"}
    families = {"ipv4": "ip", "ipv6": "ip6"}
    return {n for n, family in families.items() if inbound(chains, family) in {"accept", "none"}}


def _spans(ports: Iterable[str]) -> dict[str, list[_Span]]:
    """Ranges of ports by protocol, sorted, those that touch joined."""
    found: dict[str, list[_Span]] = {}
    for protocol, low, high in sorted(map(_span, ports)):
        spans = found.setdefault(protocol, [])
        if spans and low <= spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], max(spans[-1][1], high))
        else:
            spans.append((low, high))
    return found


def _span(text: str) -> tuple[str, int, int]:
    protocol, _, ports = text.partition("/")
    low, _, high = ports.partition("-")
    if ports == "*":
        return protocol, 0, 65_535
    return protocol, int(low), int(high or low)


def _names(first: dict[str, list[_Span]], second: dict[str, list[_Span]]) -> Iterable[str]:
    """What the first opens and the second does not."""
    for protocol, spans in first.items():
        for low, high in spans:
            for start, end in _without(low, high, second.get(protocol, [])):
                yield f"{protocol}/{start}" if start == end else f"{protocol}/{start}-{end}"


def _without(low: int, high: int, spans: list[_Span]) -> Iterable[_Span]:
    for start, end in spans:
        if end < low or start > high:
            continue
        if start > low:
            yield low, start - 1
        low = end + 1
    if low <= high:
        yield low, high


CHECK = Check(
    id="LNX-EXP-007",
    title="The firewall opens what the configuration declares",
    platforms=frozenset({"nixos"}),
    source="45 CFR 164.312(e)(1); NIST SP 800-53 SC-7(5); NIXOS:V-268078; nft(8)",
    fields=declared.FIELDS,
    probes=_probes,
    parse=_parse,
)
