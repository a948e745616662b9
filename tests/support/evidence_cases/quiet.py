"""Cases about entries without a file: quiet runs, heartbeats, sealed hours."""

from reconciler.evidence.commit import tree_of
from reconciler.evidence.planting import plant
from reconciler.evidence.statement import Kind, Reference
from reconciler.evidence.tree import Trees
from tests.support.evidence_cases.case import History, at, case, file_of, in_commit, short
from tests.support.evidence_cases.order import PROMISE_S, gap_body, promised
from tests.support.forge import Forge, Parts

MINUTE_MS = 60_000


@case
def slim_run() -> History:
    """Runs that found what an older run found have no file, and a full one follows."""
    forge = short(2)
    forge.append_slim()
    forge.append_slim()
    forge.append()
    forge.append_slim()
    return History(forge, runs=5)


@case
def heartbeat() -> History:
    """The appliance was up and could not look: without a file, and with one."""
    forge = short(2)
    forge.append_slim(Kind.HEARTBEAT, {"reason": "unreachable"})
    forge.append(Kind.HEARTBEAT, {"reason": "unreachable"})
    forge.append_slim(body={"like": 1, "reached": True, "took_ms": 900})
    return History(forge, runs=2)


@case
def sealed_hour() -> History:
    """One entry seals three runs, a minute apart, that promise the next one within 300 s."""
    forge = promised()
    body = {"like": 1, "reached": True, "ticks": [MINUTE_MS] * 3, "took_ms": 900}
    forge.append_slim(body=body, recorded_at="2026-03-01T23:08:00.000Z")
    return History(forge, runs=4)


@case
def sealed_late() -> History:
    """After a crash runs are sealed four hours late; the gap begins where the last of them was."""
    forge = promised()
    late = (4 * 60 - 3) * MINUTE_MS
    body = {"ago_ms": late, "like": 1, "reached": True, "ticks": [MINUTE_MS] * 3, "took_ms": 900}
    end, begin = "2026-03-02T03:05:00.000Z", "2026-03-01T23:08:00.000Z"
    forge.append_slim(body=body, recorded_at=end)
    forge.append(Kind.GAP, gap_body(begin, end), recorded_at=end)
    gap = {"seq": 3, "from": begin, "until": end, "promise_s": PROMISE_S, "declared": True}
    return History(forge, runs=4, gaps=(gap,))


@case
def sealed_with_a_hole_fail() -> History:
    """Between two sealed runs is more time than promised, and nothing says so."""
    forge = promised()
    ticks = [MINUTE_MS, 30 * MINUTE_MS, MINUTE_MS]
    body = {"like": 1, "reached": True, "ticks": ticks, "took_ms": 900}
    forge.append_slim(body=body, recorded_at="2026-03-01T23:37:00.000Z")
    where = {"code": "gap", "commit": None, "seq": 2, "path": None}
    return History(forge, faults=(where,))


@case
def sealed_without_a_time_fail() -> History:
    """A sealed run was minus one millisecond after the one before it."""
    forge = short(2)
    forge.append_slim(body={"like": 1, "reached": True, "ticks": [60_000, -1], "took_ms": 900})
    return History(forge, faults=(at("body", forge, 2),))


@case
def sealed_before_1970_fail() -> History:
    """A run was sealed so late that it ran before 1970, and a gap entry follows it."""
    forge = short(2)
    body = {"ago_ms": 2**53 - 1, "like": 1, "reached": True, "took_ms": 900}
    forge.append_slim(body=body)
    forge.append(Kind.GAP, gap_body("2026-03-01T23:40:00.000Z", "2026-03-02T00:00:00.000Z"))
    return History(forge, faults=(at("body", forge, 2),))


@case
def sealed_runs_overlap_fail() -> History:
    """A sealed run was before the entry before it, whose time was spoken for."""
    forge = promised()
    body = {"like": 1, "reached": True, "ticks": [MINUTE_MS] * 3, "took_ms": 900}
    forge.append_slim(body=body, recorded_at="2026-03-01T23:06:59.999Z")
    return History(forge, faults=(at("time-backwards", forge, 2),))


@case
def slim_hides_an_intent_fail() -> History:
    """An intent is open, and an entry without a file passes it over."""
    forge = short(3)
    forge.append_slim(base=2, body={"like": 1, "reached": True, "took_ms": 900})
    return History(forge, faults=(at("intent", forge, 3),))


@case
def slim_wrong_base_fail() -> History:
    """A slim entry takes what it leaves out from an entry that is not the newest with a file."""
    forge = short(2)
    forge.append_slim(base=0, body={"like": 1, "reached": True, "took_ms": 900})
    return History(forge, faults=(at("base", forge, 2),))


@case
def slim_base_without_a_file_fail() -> History:
    """A slim entry takes what it leaves out from another slim one."""
    forge = short(2)
    forge.append_slim()
    forge.append_slim(base=2, body={"like": 1, "reached": True, "took_ms": 900})
    return History(forge, faults=(at("base", forge, 3),))


@case
def repeats_an_older_run_fail() -> History:
    """A run says that it found what an older run found, past a newer one that found something."""
    forge = short(2)
    forge.append(body={"fail": 30, "pass": 0})
    forge.append_slim(body={"like": 1, "reached": True, "took_ms": 900})
    return History(forge, faults=(at("repeated-run", forge, 3),))


@case
def repeats_nothing_fail() -> History:
    """A run without a file does not say what it repeats."""
    forge = short(2)
    forge.append_slim(body={"reached": True, "took_ms": 900})
    return History(forge, faults=(at("body", forge, 2),))


def lined(change: bytes, by: bytes) -> Forge:
    """A run and a slim one whose line was changed before it was signed."""
    forge = short(2)

    def spoil(parts: Parts) -> None:
        parts.payload = lambda line: line.replace(change, by, 1)

    forge.append_slim(spoil=spoil)
    return forge


@case
def slim_not_canonical_fail() -> History:
    """The statement of a slim entry has a space that canonical JSON has not."""
    forge = lined(b'"base":', b'"base": ')
    return History(forge, faults=(in_commit("statement", forge, 2),))


@case
def slim_with_more_fail() -> History:
    """The statement of a slim entry has a member that it should take from its base."""
    more = b',"bootId":"11111111-2222-3333-4444-555555555555","clock":'
    forge = lined(b',"clock":', more)
    return History(forge, faults=(in_commit("statement", forge, 2),))


@case
def slim_of_another_kind_fail() -> History:
    """A gap is declared without a file, which only runs, heartbeats and checkpoints may be."""
    forge = lined(b'"kind":"run"', b'"kind":"gap"')
    return History(forge, faults=(in_commit("statement", forge, 2),))


@case
def slim_message_with_more_fail() -> History:
    """After the statement of a slim entry the commit message goes on."""
    forge = short(2)
    forge.append_slim(spoil=lambda parts: setattr(parts, "message", parts.message + b"\n"))
    return History(forge, faults=(in_commit("statement", forge, 2),))


@case
def slim_title_says_otherwise_fail() -> History:
    """The first line of a slim entry's message names another number."""
    forge = short(2)

    def spoil(parts: Parts) -> None:
        parts.message = parts.message.replace(b"run 2 on", b"run 3 on")

    forge.append_slim(spoil=spoil)
    return History(forge, faults=(at("commit-content", forge, 2),))


@case
def slim_with_a_file_fail() -> History:
    """A commit has a slim statement in its message, and adds a file as well."""
    forge, path = short(2), file_of("01", 2)

    def spoil(parts: Parts) -> None:
        def root(oid: str) -> str:
            planted = plant(Trees(forge), oid, path, b"anything")
            for kind, raw in planted.objects:
                forge.put(kind, raw)
            return planted.root

        parts.root = root

    forge.append_slim(spoil=spoil)
    return History(forge, faults=(in_commit("envelope", forge, 2, path),))


@case
def empty_commit_fail() -> History:
    """A commit that adds no file and says nothing."""
    forge = short(2)
    forge.append_slim(spoil=lambda parts: setattr(parts, "message", b"nothing\n"))
    return History(forge, faults=(in_commit("not-append-only", forge, 2),))


@case
def slim_after_an_outcome() -> History:
    """Once no intent is open, an entry without a file may follow; its base is the outcome."""
    forge = short(2)
    forge.append(Kind.INTENT, {"action": "RB-TIME-001"})
    forge.append(Kind.OUTCOME, {"result": "failed"}, closes=Reference(2, forge.digests[2]))
    tree = tree_of(forge.read(forge.commits[3])[1])
    forge.append_slim(body={"like": 1, "reached": False, "took_ms": 900})
    assert tree_of(forge.read(forge.commits[4])[1]) == tree
    return History(forge, runs=2)
