"""One certificate that this host serves: its dates, its chain, its strength, and its key's mode.

A new file that its service has not read is an old certificate for everybody who connects: the unit
must have changed its state (a start, a reload) since the file did.
The private key is never read: who may read it is known from the file system alone. The protocol
version needs a handshake and is another check's subject.

Source: 45 CFR 164.312(e)(1), 164.312(e)(2)(ii); NIST SP 800-53 SC-12, SC-17; RFC 5280 section 4.1.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from reconciler.checks.parsing import given
from reconciler.checks.parsing.shapes import MAX_INT, NOW, now, refuse, stats
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, Values
from reconciler.model.parameter import Parameter
from reconciler.model.probe import BusProperty, Probe, ReadFile, StatPaths
from reconciler.model.unit_path import object_path
from reconciler.model.values import Params, Value

if TYPE_CHECKING:
    from reconciler.checks.parsing.certificate import Certificate


def _served(params: Params) -> ReadFile:
    return ReadFile(given.text(params, "path"))


def _key(params: Params) -> StatPaths | None:
    path = given.optional_text(params, "key")
    return None if path is None else StatPaths((path,))


def _change(params: Params) -> BusProperty | None:
    """When the unit that reads the certificate last changed its state."""
    unit = given.optional_text(params, "reload_unit")
    if unit is None:
        return None
    interface = "org.freedesktop.systemd1.Unit"
    path = object_path(unit)
    return BusProperty("org.freedesktop.systemd1", path, interface, "StateChangeTimestamp")


def _authority(params: Params) -> ReadFile | None:
    path = given.optional_text(params, "authority")
    return None if path is None else ReadFile(path, limit=1024 * 1024)


def _certificates(text: str, what: str) -> list["Certificate"]:
    # Most machines of a newcomer have no certificate to read; the import is theirs to save.
    from reconciler.checks.parsing.certificate import read  # noqa: PLC0415

    return read(text, what)


def _dates(leaf: "Certificate", moment: int) -> Mapping[str, Value]:
    return {
        "days_left": (leaf.not_after_s - moment) // 86_400,
        "in_force": leaf.not_before_s <= moment < leaf.not_after_s,
    }


def _strength(leaf: "Certificate") -> Mapping[str, Value]:
    return {
        "fingerprint": leaf.fingerprint,
        "key_algorithm": leaf.key_algorithm,
        "key_bits": leaf.key_bits,
        "signature_hash": leaf.signature_hash,
        "self_issued": leaf.self_issued,
    }


def _chain(params: Params, answers: Answers, chain: list["Certificate"], moment: int) -> str | None:
    """How the chain ends: each link is signed by the next, up to one of the authority's file."""
    probe = _authority(params)
    if probe is None:
        return None
    anchors = _certificates(answers.text(probe), "certificate authority")
    current, seen = chain[0], {chain[0].fingerprint}
    while not any(current.signed_by(a) and a.valid_at(moment) for a in anchors):
        usable = (c for c in chain[1:] if c.fingerprint not in seen and c.valid_at(moment))
        issuer = next((c for c in usable if current.signed_by(c)), None)
        if issuer is None:
            return "broken"
        current = issuer
        seen.add(current.fingerprint)
    return "complete"


def _key_access(params: Params, answers: Answers) -> Mapping[str, Value]:
    probe = _key(params)
    facts = () if probe is None else stats(answers, probe)
    key = facts[0] if facts else None
    return {
        "key_file": None if key is None else key.type,
        "key_mode": None if key is None else f"{key.mode:04o}",
        "key_uid": None if key is None else key.uid,
    }


def _taken_over(params: Params, answers: Answers) -> bool | None:
    probe = _change(params)
    if probe is None or answers.absent(probe):
        return None
    changed_us = answers.data(probe)
    if type(changed_us) is not int or not 0 <= changed_us <= MAX_INT:
        refuse(probe, "is not a time")
    written = max((fact.mtime for fact in stats(answers, _facts(params))), default=None)
    if written is None:
        refuse(_facts(params), "there is no such file")
    # A unit that has never been started reads the file when it is.
    return None if changed_us == 0 else changed_us // 1_000_000 >= written


def _facts(params: Params) -> StatPaths:
    return StatPaths((given.text(params, "path"),))


def _parse(params: Params, answers: Answers) -> Values:
    """Read the certificate (a file of several starts with the one that is served)."""
    chain = _certificates(answers.text(_served(params)), "certificate")
    moment = now(answers)
    return {
        **_dates(chain[0], moment),
        **_strength(chain[0]),
        "chain": _chain(params, answers, chain, moment),
        **_key_access(params, answers),
        "taken_over": _taken_over(params, answers),
    }


def _probes(params: Params) -> tuple[Probe, ...]:
    """The certificate, the authority and the key's file if named, and the run's clock."""
    change = _change(params)
    named = (_key(params), _authority(params), change, _facts(params) if change else None)
    return (_served(params), NOW, *(probe for probe in named if probe is not None))


CHECK = Check(
    id="LNX-TLS-001",
    title="Certificate valid and not near expiry",
    platforms=frozenset({"linux", "nixos"}),
    source="45 CFR 164.312(e)(1), 164.312(e)(2)(ii); SP 800-53 SC-17; RFC 5280 section 4.1",
    params={
        "path": Parameter(type="str", doc="File of the certificate (PEM).", pattern=r"/[^\x00]*"),
        "key": Parameter(
            type="str", doc="File of its private key.", required=False, pattern=r"/[^\x00]*"
        ),
        "authority": Parameter(
            type="str",
            doc="File of the certificates that its chain must reach (PEM).",
            required=False,
            pattern=r"/[^\x00]*",
        ),
        "reload_unit": Parameter(
            type="str", doc="Unit that must have read it.", required=False, pattern=r"[^\x00/]+"
        ),
    },
    fields={
        "days_left": Field("int", "Whole days until it expires; negative when it has.", gauge=True),
        "in_force": Field("bool", "Whether this moment lies between its two dates."),
        "fingerprint": Field("str", "Hex SHA-256 of the certificate."),
        "key_algorithm": Field("str", "rsa, ec, ed25519, ed448 or dsa."),
        "key_bits": Field("int", "Size of its public key in bits."),
        "signature_hash": Field("str", "Hash of its signature, or 'intrinsic' (Ed25519, Ed448)."),
        "self_issued": Field("bool", "Whether its subject vouches for itself."),
        "chain": Field(
            "str",
            "complete when it reaches a certificate of the authority's file, else broken; absent "
            "when no authority was named.",
            optional=True,
        ),
        "key_file": Field("str", "file, link, dir or other; absent when missing.", optional=True),
        "key_mode": Field("str", "Mode of the private key's file, octal, 0600.", optional=True),
        "key_uid": Field("int", "Owner of the private key's file.", optional=True),
        "taken_over": Field(
            "bool",
            "Whether its unit was started or reloaded since it was written; absent without one.",
            optional=True,
        ),
    },
    probes=_probes,
    parse=_parse,
)
