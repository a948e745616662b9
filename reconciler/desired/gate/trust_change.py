"""Who may sign or approve what, before and after: a change that deserves to be loud.

Rule 1: Everything in the trust files that judges is told, each thing under its name.
Rule 2: A key is told by its fingerprint and its principal; two windows of one key are one thing.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from reconciler.desired.gate.reading import Trust
from reconciler.evidence.signers import AllowedSigners, Signer
from reconciler.evidence.sshsig import fingerprint
from reconciler.model.review import Change, TrustChange
from reconciler.model.trust_policy import TrustPolicy
from reconciler.plan.change import fields

Things = Mapping[tuple[str, str], Mapping[str, Any]]

_LISTS = {
    "people": ("person", "id"),
    "machines": ("machine", "id"),
    "rules": ("rule", "id"),
    "identities": ("identity", "name"),
    "branches": ("branch", "name"),
    "revoked": ("revoked key", "key"),
}


def trust_changes(old: Trust, new: Trust) -> Iterator[TrustChange]:
    """What becomes of keys, people, machines, rules, identities, branches and recovery."""
    before, after = _things(old), _things(new)
    for what, name in sorted(before.keys() | after.keys()):
        one, other = before.get((what, name)), after.get((what, name))
        changed = fields(one or {}, other or {})
        if changed or one is None or other is None:
            yield TrustChange(what, name, _change(one, other), changed)


def _change(one: object, other: object) -> Change:
    if one is None:
        return "added"
    return "removed" if other is None else "changed"


def _things(trust: Trust) -> Things:
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    if trust.signers is not None:
        found |= dict(_keys(trust.signers))
    if trust.policy is not None:
        found |= dict(_policy(trust.policy))
    return found


def _keys(signers: AllowedSigners) -> Iterator[tuple[tuple[str, str], Mapping[str, Any]]]:
    by_key: dict[bytes, list[Signer]] = {}
    for signer in signers.signers:
        by_key.setdefault(signer.public, []).append(signer)
    for public, lines in by_key.items():
        windows = sorted(_window(line) for line in lines)
        value = {"principal": lines[0].principal, "may sign": windows}
        yield ("key", fingerprint(public)), value


def _window(signer: Signer) -> str:
    names = "anything" if signer.namespaces is None else ", ".join(signer.namespaces)
    after = f" from {signer.valid_after:%Y-%m-%dT%H:%M:%SZ}" if signer.valid_after else ""
    before = f" until {signer.valid_before:%Y-%m-%dT%H:%M:%SZ}" if signer.valid_before else ""
    return f"{names}{after}{before}"


def _policy(policy: TrustPolicy) -> Iterator[tuple[tuple[str, str], Mapping[str, Any]]]:
    plain = policy.model_dump(mode="json")
    yield ("policy", "policy.yaml"), {"format": plain["format"]}
    for name, (what, key) in _LISTS.items():
        yield from _listed(what, key, plain[name], ordered=name == "rules")
    if plain["recovery"] is not None:
        yield ("recovery", "recovery"), plain["recovery"]


def _listed(
    what: str, key: str, items: Iterable[Mapping[str, Any]], *, ordered: bool
) -> Iterator[tuple[tuple[str, str], Mapping[str, Any]]]:
    for place, item in enumerate(items, 1):
        values = {name: value for name, value in item.items() if name != key}
        # The first rule that matches owns a path, so where a rule stands is part of it.
        yield (what, item[key]), values | ({"place": place} if ordered else {})
