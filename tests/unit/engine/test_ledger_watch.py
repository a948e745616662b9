from dataclasses import dataclass, field
from types import SimpleNamespace

from reconciler.engine.introspect import FIRST_LOOK, OVERLAP, LedgerWatch
from reconciler.ledger.receipt import TailCheck


@dataclass
class Ledger:
    """Counts what is asked of it, and verifies or not as it is told."""

    seq: int
    ok: bool = True
    asked: list[int] = field(default_factory=list)

    @property
    def tip(self) -> SimpleNamespace:
        return SimpleNamespace(seq=self.seq)

    def check_tail(self, count: int) -> TailCheck:
        self.asked.append(count)
        return TailCheck(self.ok, min(count, self.seq + 1), () if self.ok else ("bad",))


def test_the_first_look_is_wide_and_later_ones_follow_what_is_new() -> None:
    ledger = Ledger(1_000_000)
    watch = LedgerWatch(ledger)  # type: ignore[arg-type]

    watch.look()
    ledger.seq += 3
    watch.look()
    watch.look()

    assert ledger.asked == [FIRST_LOOK, 3 + OVERLAP, OVERLAP]


def test_what_did_not_verify_is_looked_at_until_it_does() -> None:
    ledger = Ledger(100)
    watch = LedgerWatch(ledger)  # type: ignore[arg-type]
    watch.look()
    ledger.seq, ledger.ok = 105, False

    first, second = watch.look(), watch.look()

    assert not first.ok
    assert not second.ok
    assert ledger.asked[1:] == [5 + OVERLAP, 5 + OVERLAP]
