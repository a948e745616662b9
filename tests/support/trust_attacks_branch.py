"""Attacks with recoveries and releases, told as in `tests.support.trust_attacks`."""

from collections.abc import Callable
from typing import Any

from tests.support.fleet_git import SIGNERS
from tests.support.trust_attacks import CLINIC, Act, Story
from tests.support.trust_fleet import POLICY, POLICY_TEXT, TrustFleet, line, signers_text
from tests.support.trust_signing import fingerprint

# --- recoveries ---------------------------------------------------------------------------------

REVOKED = (
    f'revoked: [{{key: "{fingerprint("carol")}", effective: "2026-03-01T00:00:00Z",'
    " reason: laptop-stolen}]\n"
)


def rewritten(fleet: TrustFleet) -> tuple[str, str]:
    """The branch goes on beside what was accepted; returns that, and the new head."""
    accepted = fleet.head
    parents = fleet.parents(accepted)
    return accepted, fleet.commit("bob", {CLINIC: "rewritten\n"}, parents=parents)


def _recovered(*by: str, **wrong: Any) -> Act:
    def act(fleet: TrustFleet) -> None:
        accepted, _ = rewritten(fleet)
        fleet.recover(by, **{"replaces": [accepted], **wrong})

    return act


def two_halves(fleet: TrustFleet) -> None:
    """Two people signed two statements, and neither the other's."""
    accepted, _ = rewritten(fleet)
    fleet.recover(["alice"], [accepted], reason="rewritten-history")
    fleet.recover(["carol"], [accepted], reason="key-compromise")


def blessed_elsewhere(fleet: TrustFleet) -> None:
    """The recovery names a commit that the head does not have."""
    accepted, good = rewritten(fleet)
    fleet.recover(["alice", "carol"], [accepted], good)
    fleet.commit("bob", {CLINIC: "evil\n"}, parents=fleet.parents(accepted))


def unsigned_afterwards(fleet: TrustFleet) -> None:
    """What follows a blessed commit is verified as always."""
    _recovered("alice", "carol")(fleet)
    fleet.commit(None, {CLINIC: "evil\n"})


def signed_afterwards(fleet: TrustFleet) -> None:
    _recovered("alice", "carol")(fleet)
    fleet.commit("bob", {CLINIC: "good\n"})


def re_rooted(by: str, files: dict[str, str | None]) -> Callable[[TrustFleet], None]:
    """A new beginning, with another trust."""

    def act(fleet: TrustFleet) -> None:
        accepted = fleet.head
        fleet.commit(by, files, parents=(), tree=fleet.tree(accepted))
        fleet.recover(["alice", "carol"], [accepted], reason="re-root")

    return act


_STOLEN = {
    SIGNERS: signers_text().replace(line("bob"), line("bob-new", principal="bob@msp.example"))
}

RECOVERIES = {
    "history rewritten, nobody blessed it": Story(
        "not-fast-forward", rewritten, _recovered("alice", "carol")
    ),
    "recovery by one person": Story(
        "not-fast-forward", _recovered("alice"), _recovered("alice", "bob")
    ),
    "recovery by one person with two keys": Story(
        "not-fast-forward", _recovered("bob", "bob-sk"), _recovered("alice", "bob-sk")
    ),
    "recovery by who has no such role": Story(
        "not-fast-forward", _recovered("alice", "erin"), _recovered("alice", "carol")
    ),
    "recovery by a machine": Story(
        "not-fast-forward", _recovered("alice", "ci", "bot"), _recovered("alice", "carol", "ci")
    ),
    "recovery by a stranger": Story(
        "not-fast-forward", _recovered("alice", "mallory"), _recovered("bob", "carol")
    ),
    "recovery of another branch": Story(
        "not-fast-forward",
        _recovered("alice", "carol", branch="staging"),
        _recovered("alice", "carol", branch="main"),
    ),
    "recovery that replaces something else": Story(
        "not-fast-forward",
        _recovered("alice", "carol", replaces=["1" * 40]),
        _recovered("alice", "carol"),
    ),
    "recovery from the far future": Story(
        "not-fast-forward",
        _recovered("alice", "carol", issued=60 * 24 * 365 * 5),
        _recovered("alice", "carol"),
    ),
    "recovery to a commit elsewhere": Story(
        "not-fast-forward", blessed_elsewhere, _recovered("alice", "carol")
    ),
    "recovery in two halves": Story(
        "not-fast-forward", two_halves, _recovered("alice", "carol", reason="key-compromise")
    ),
    "recovery by a revoked key": Story(
        "not-fast-forward",
        _recovered("alice", "carol"),
        _recovered("alice", "bob"),
        policy=POLICY_TEXT + REVOKED,
    ),
    "recovery by a revoked key, dated back": Story(
        "not-fast-forward",
        _recovered("alice", "carol", issued=-60 * 24 * 9),
        _recovered("alice", "bob", issued=-60 * 24 * 9),
        policy=POLICY_TEXT + REVOKED,
    ),
    "recovery by a key whose time is over": Story(
        "not-fast-forward",
        _recovered("alice", "carol", issued=-60 * 24 * 9),
        _recovered("alice", "bob", issued=-60 * 24 * 9),
        signers=signers_text("alice", "bob", "bob-sk", "erin", "frank", "bot", "ci")
        + line("carol", before="20260301Z"),
    ),
    "something unsigned after a recovery": Story(
        "unsigned", unsigned_afterwards, signed_afterwards
    ),
    "recovery to a trust without a policy": Story(
        "trust-policy-dropped", re_rooted("alice", {POLICY: None}), re_rooted("alice", _STOLEN)
    ),
    "recovery to a head that its own trust does not know": Story(
        "signer-revoked", re_rooted("mallory", {}), re_rooted("bob", {})
    ),
}


# --- releases -----------------------------------------------------------------------------------

_RELEASED = POLICY_TEXT + "branches: [{name: main, require: [ssh, release]}]\n"


def _release_of_head(fleet: TrustFleet) -> None:
    fleet.release("ci")


def _released(by: str | None = "bob", *attested: str, **wrong: Any) -> Act:
    def act(fleet: TrustFleet) -> None:
        fleet.commit(by, {CLINIC: "released\n"})
        for name in attested:
            fleet.release(name, **wrong)

    return act


def release_of_another_commit(fleet: TrustFleet) -> None:
    """The host shows the release of the last commit under the name of this one."""
    old = fleet.head
    fleet.commit("bob", {CLINIC: "released\n"})
    fleet.release("ci", old, place=fleet.head)


def _story(code: str, attack: Act) -> Story:
    return Story(code, attack, _released("bob", "ci"), policy=_RELEASED, prepare=_release_of_head)


RELEASES = {
    "no release": _story("release-missing", _released("bob")),
    "a release of another commit": _story("release-refused", release_of_another_commit),
    "a release by an engineer": _story("release-refused", _released("bob", "alice")),
    "a release by a machine without that role": _story("release-refused", _released("bob", "bot")),
    "a release by a stranger": _story("release-refused", _released("bob", "mallory")),
    "a release for another branch": _story(
        "release-refused", _released("bob", "ci", branch="staging")
    ),
    "a release of another tree": _story("release-refused", _released("bob", "ci", tree="1" * 40)),
    "a release of other files": _story(
        "release-refused", _released("bob", "ci", files_sha256="1" * 64)
    ),
    "a release from the far future": _story(
        "release-refused", _released("bob", "ci", time=60 * 24 * 365 * 5)
    ),
    "a release of an unsigned commit": _story("unsigned", _released(None, "ci")),
}
