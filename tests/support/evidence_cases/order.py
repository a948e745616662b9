"""Cases about the order of entries: number, chain, time, intents, gaps."""

from reconciler.evidence import commit
from reconciler.evidence.statement import Kind, Reference
from tests.support.evidence_cases.case import LINES, History, at, case, in_commit, short
from tests.support.evidence_keys import test_key
from tests.support.forge import Forge, Parts, signer_line
from tests.support.forge import honest as honest_forge

PROMISE_S = 300


@case
def honest() -> History:
    """Genesis, a run, an intent and its outcome, a run; crosses midnight UTC."""
    return History(short(5), runs=2)


@case
def open_intent() -> History:
    """The newest entry is an intent without an outcome: verifies, and is reported as open."""
    return History(short(3), runs=1)


@case
def annotation() -> History:
    """A person's correction stands beside the entry that it is about, as an entry of its own."""
    forge = short(2)
    about = {"seq": 1, "sha256": forge.digests[1]}
    body = {"about": about, "by": "security officer", "text": "run 1 was a drill"}
    forge.append(Kind.ANNOTATION, body)
    return History(forge, runs=1)


@case
def advice_and_ticket() -> History:
    """A model was asked and answered, and an incident was handed to people; both prove nothing
    beside themselves. Closed is neither: what they may hold is in the format.
    """
    forge = short(2)
    asked = {"run": "a" * 32, "phase": "asked", "incident": "0123456789ab-1"}
    forge.append(Kind.ADVICE, asked)
    answer = {"seq": len(forge.digests) - 1, "sha256": forge.digests[-1]}
    forge.append(Kind.ADVICE, asked | {"phase": "answered", "asked": answer})
    forge.append(Kind.TICKET, {"run": "a" * 32, "phase": "opened", "ticket": "f" * 64})
    return History(forge, runs=1)


@case
def running_system() -> History:
    """Another system runs: which, from where, made of what. It proves nothing beside itself, and
    what it may hold is in the format.
    """
    forge = short(2)
    system = "/nix/store/00000000000000000000000000000000-nixos-system-front-26.05"
    body = {
        "run": "a" * 32,
        "from": None,
        "to": system,
        "booted": system,
        "profile": system,
        "generation": 1,
        "release": None,
        "source": "unknown",
        "closure": {"paths": 2, "nar_bytes": 4096, "sha256": "d" * 64},
        "sbom": {"format": "SPDX-2.3", "sha256": "e" * 64},
        "diff": None,
        "reason": "",
    }
    forge.append(Kind.SYSTEM, body)
    return History(forge, runs=1)


@case
def dropped_fail() -> History:
    """Two entries are dropped; who did it holds the key and signs on top of an older commit."""
    forge = short(4)

    def on_older(parts: Parts) -> None:
        parts.parents = (forge.commits[1],)
        parts.base = commit.tree_of(forge.read(forge.commits[1])[1])

    forge.append(spoil=on_older)
    return History(
        forge, faults=(at("sequence", forge, 4), at("chain", forge, 4), at("log", forge, 4))
    )


@case
def rewritten_fail() -> History:
    """An entry is written anew by the owner of the key, under the entries that followed it."""
    forge, other = short(5), short(4)
    other.append(body={"fail": 30, "pass": 0})
    forge.objects |= other.objects

    def on_other(parts: Parts) -> None:
        parts.parents = (other.commits[4],)
        parts.base = commit.tree_of(forge.read(other.commits[4])[1])

    forge.append(spoil=on_other)
    return History(forge, faults=(at("chain", forge, 5), at("log", forge, 5)))


@case
def second_genesis_fail() -> History:
    """After a reinstallation the numbers begin again in the middle of the branch."""
    forge = short(2)
    forge.append(Kind.GENESIS, seq=0, previous=None, recorded_at="2026-03-02T00:00:00.000Z")
    return History(
        forge,
        faults=(
            at("genesis", forge, 2, seq=0),
            at("sequence", forge, 2, seq=0),
            at("chain", forge, 2, seq=0),
        ),
    )


@case
def beginning_cut_off_fail() -> History:
    """The history begins with entry 1; what was before is gone."""
    forge = Forge()
    forge.append(Kind.RUN, seq=1, previous="a" * 64)
    first = at("genesis", forge, 0, seq=1)
    return History(
        forge, faults=(first, in_commit("genesis", forge, 0), at("log", forge, 0, seq=1))
    )


@case
def time_backwards_fail() -> History:
    """An entry is a second older than the one before it."""
    forge = short(4)
    forge.append(recorded_at="2026-03-01T23:59:59.000Z")
    return History(forge, faults=(at("time-backwards", forge, 4),))


@case
def spliced_from_another_appliance_fail() -> History:
    """The branch points to the entries of another appliance of the same clinic."""
    key = test_key("smile/xray")
    forge, other = short(2), honest_forge(2, host="xray", key=key)
    forge.objects |= other.objects
    forge.names[forge.branch] = other.commits[1]
    faults = tuple(at(code, other, number) for number in (0, 1) for code in ("branch", "principal"))
    no_seq = [fault | {"seq": None} if fault["code"] == "principal" else fault for fault in faults]
    return History(forge, LINES + signer_line("smile/xray", key), faults=tuple(no_seq))


@case
def outcome_without_intent_fail() -> History:
    """An outcome closes an entry that is no intent."""
    forge = short(2)
    forge.append()
    forge.append(Kind.OUTCOME, {"result": "healed"}, closes=Reference(2, forge.digests[2]))
    return History(forge, faults=(at("intent", forge, 3),))


@case
def intent_forgotten_fail() -> History:
    """A run after an intent does not name it as open."""
    forge = short(3)
    forge.append(open=())
    return History(forge, faults=(at("intent", forge, 3),))


def promised() -> Forge:
    """Genesis and a run at 23:05 that promises the next one within 300 s."""
    forge = Forge()
    forge.append(Kind.GENESIS)
    body = {"fail": 0, "pass": 30, "promise_s": PROMISE_S}
    forge.append(body=body, recorded_at="2026-03-01T23:05:00.000Z")
    return forge


def gap_body(begin: str, until: str) -> dict[str, object]:
    return {"from": begin, "promise_s": PROMISE_S, "rebooted": True, "until": until}


@case
def gap_declared() -> History:
    """Four hours without a run although one was promised every 300 s; the appliance says so."""
    forge = promised()
    begin, end = "2026-03-01T23:05:00.000Z", "2026-03-02T03:05:00.000Z"
    forge.append(Kind.GAP, gap_body(begin, end), recorded_at=end)
    forge.append(recorded_at="2026-03-02T03:05:02.000Z")
    gap = {"seq": 2, "from": begin, "until": end, "promise_s": PROMISE_S, "declared": True}
    return History(forge, runs=2, gaps=(gap,))


@case
def gap_within_tolerance() -> History:
    """The next run comes exactly two promised intervals and 60 s later, which is no gap yet."""
    forge = promised()
    forge.append(recorded_at="2026-03-01T23:16:00.000Z")
    return History(forge, runs=2)


@case
def gap_silent_fail() -> History:
    """The next run comes a millisecond after the tolerance, and no entry says so."""
    forge = promised()
    forge.append(recorded_at="2026-03-01T23:16:00.001Z")
    where = {"code": "gap", "commit": None, "seq": 2, "path": None}
    return History(forge, faults=(where,))


@case
def gap_begins_elsewhere_fail() -> History:
    """A gap entry says that the gap began later than the entry before it."""
    forge = promised()
    begin, end = "2026-03-02T03:00:00.000Z", "2026-03-02T03:05:00.000Z"
    forge.append(Kind.GAP, gap_body(begin, end), recorded_at=end)
    return History(forge, faults=(at("gap", forge, 2),))
