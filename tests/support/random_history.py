"""Random histories, honest and not, of every kind of entry: the same for the same seed."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from reconciler.errors import EvidenceError
from reconciler.evidence.entry import Kind, Reference, stamp
from tests.support.evidence_cases.keys import OLD, PERSON, recovery
from tests.support.evidence_keys import test_key
from tests.support.forge import KEY, Forge, allowed, signer_line

ROGUE = test_key("mallory")
LINES = signer_line("smile/desk", KEY) + signer_line("smile/desk", OLD) + recovery()
SIGNERS = allowed(LINES)
PAUSES_MS = (0, 1000, 60_000, 660_000, 660_001, 3_600_000)


def random_history(seed: int) -> Forge:
    """Genesis and up to twelve entries; about one in four such histories verifies."""
    return _Author(random.Random(seed)).write()


class _Author:
    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.forge = Forge(key=chance.choice([KEY, OLD]))
        self.run: int | None = None

    def write(self) -> Forge:
        self.forge.append(Kind.GENESIS)
        acts: list[Callable[[], object]] = [
            *(3 * [self.full] + 4 * [self.again] + 2 * [self.gap]),
            *(self.beat, self.checkpoint, self.intent, self.outcome, self.rotate, self.replace),
            self.seldom_broken,
        ]
        for _ in range(self.chance.randrange(1, 13)):
            # What cannot be written at all is no history.
            try:
                self.chance.choice(acts)()
            except EvidenceError:
                continue
        return self.forge

    def rarely(self, wrong: Any, right: Any) -> Any:
        return wrong if self.chance.random() < 0.05 else right

    @property
    def at(self) -> dict[str, str]:
        return self.after(0)

    def after(self, milliseconds: int) -> dict[str, str]:
        pause = timedelta(milliseconds=milliseconds + self.chance.choice(PAUSES_MS))
        assert self.forge.last is not None
        return {"recorded_at": stamp(self.forge.last.time + pause)}

    def full(self) -> None:
        promise = self.chance.choice([300, 300, 60, 0, None])
        self.forge.append(body={"promise_s": promise}, **self.at)
        self.run = len(self.forge.digests) - 1

    def again(self) -> None:
        body: dict[str, Any] = {"like": self.rarely(0, self.run)}
        pause = 0
        if self.chance.random() < 0.3:
            ticks = self.chance.choice([[0], [60_000] * 3, [700_000]])
            pause, body["ticks"] = self.rarely(0, sum(ticks)), self.rarely([-1], ticks)
        if self.chance.random() < 0.1:
            body["ago_ms"] = self.chance.choice([0, 1000, 700_000])
            pause += self.rarely(0, body["ago_ms"])
        self.forge.append_slim(body=body, base=self.rarely(0, self.forge.base), **self.after(pause))

    def gap(self) -> None:
        last = self.forge.last
        assert last is not None
        ago = last.body.get("ago_ms", 0) if last.slim else 0
        begin = stamp(last.time - timedelta(milliseconds=ago))
        self.forge.append(Kind.GAP, {"from": self.rarely("never", begin)}, **self.at)

    def beat(self) -> None:
        self.forge.append_slim(Kind.HEARTBEAT, {"reason": "unreachable"}, **self.at)

    def checkpoint(self) -> None:
        note = self.forge.note(self.rarely(1, None))
        self.forge.append_slim(Kind.CHECKPOINT, {"note": note}, **self.at)

    def intent(self) -> None:
        self.forge.append(Kind.INTENT, {"action": "RB-TIME-001"}, **self.at)

    def outcome(self) -> None:
        last, forge = self.forge.last, self.forge
        assert last is not None
        waiting = list(last.open)
        if last.kind is Kind.INTENT:
            waiting.append(Reference(last.seq, forge.digests[-1]))
        for intent in waiting:
            forge.append(Kind.OUTCOME, {"result": "healed"}, closes=intent, **self.at)

    def seldom_broken(self) -> None:
        """Seldom a commit that proves nothing."""
        if self.chance.random() < 0.8:
            return
        self.forge.append(spoil=lambda parts: setattr(parts, "dsse_key", ROGUE), **self.at)

    def rotate(self) -> None:
        before = self.forge.key
        self.forge.rotate(self.chance.choice([KEY, OLD]))
        self.forge.key = self.rarely(before, self.forge.key)

    def replace(self) -> None:
        self.forge.replace_key(self.chance.choice([KEY, OLD]), self.rarely(KEY, PERSON))
