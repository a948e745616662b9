"""A host that is looked at for a long time: mostly the same, now and then news, once a day in full.

What is said here goes through the public ways of a ledger, so every entry is what the appliance
would have appended; only the findings are made up, of the size and the changeability of real ones.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from reconciler.evidence.entry import Clock, Kind, Subject, stamp
from reconciler.ledger.store import Ledger

Body = dict[str, Any]

FINDINGS = 39
"""Findings in a run of the baseline linux-hipaa-v1 on one host."""

START = datetime(2026, 1, 1, tzinfo=UTC)
BOOT = "6f1c4c0e-3f5e-4a8e-9d53-0a6b6f3a7e11"
SUBJECT = Subject("c" * 40, "d" * 64)
CHECKPOINT_S = 3600


@dataclass(frozen=True, slots=True)
class Habit:
    """How a host is looked at, and how often there is news.

    Attributes:
        interval_s: Seconds between two runs.
        news_every: One run in so many has news and says everything, besides the first of a day;
            1: every run does.
        healed: Which part of what begins to fail is healed at once, with an intent and an outcome.
        fixed: How often, while a rule fails, the next news is that it holds again.
        sealed: How many quiet runs one entry stands for.
    """

    interval_s: int = 60
    news_every: int = 200
    healed: float = 0.5
    fixed: float = 0.75
    sealed: int = 1


@dataclass(slots=True)
class Host:
    """One host and its ledger.

    Attributes:
        ledger: Open.
        habit: How it is looked at.
        begin: When the first run is.
        runs: How many runs there were.
    """

    ledger: Ledger
    habit: Habit
    begin: datetime = START
    runs: int = 0
    _random: Random = field(init=False)
    _at: datetime = field(init=False)
    _statuses: list[str] = field(default_factory=lambda: ["pass"] * FINDINGS)
    _since: Body = field(default_factory=dict)
    _like: int | None = None
    _day: str = ""
    _moved: bool = False
    _extra: int = 0
    _checkpoint: datetime = field(init=False)
    _signed: Body | None = None
    _ticks: list[int] = field(default_factory=list)
    _waiting_to: datetime = field(init=False)

    def __post_init__(self) -> None:
        # The same ledger every time, but another day of it is not the first one again.
        self._random = Random(self.ledger.tip.seq)
        self._at = self._checkpoint = self._waiting_to = self.begin

    def live(self, runs: int) -> None:
        """Run so many times."""
        for _ in range(runs):
            self._run()
            self.runs += 1
        self._seal()

    def _run(self) -> None:
        took = timedelta(milliseconds=self._random.randrange(700, 1400))
        due = self.begin + timedelta(seconds=self.habit.interval_s * self.runs)
        self._at = max(self._at, due)
        self._at += took
        if self._news():
            self._change()
        elif self._moved or self._like is None or self._day != stamp(self._at)[:10]:
            self._say()
        else:
            self._repeat(took)
        if self._at - self._checkpoint >= timedelta(seconds=CHECKPOINT_S):
            self._sign_root()

    def _news(self) -> bool:
        """Whether this run finds something else than the last one."""
        drawn = self._random.random() * self.habit.news_every < 1
        if drawn and self._extra:
            # The run after a healing was news too: so many are drawn less.
            self._extra -= 1
            return False
        return drawn and not self._moved

    def _change(self) -> None:
        """A rule fails, or holds again; some of what fails is healed at once."""
        failing = [rule for rule, status in enumerate(self._statuses) if status == "fail"]
        if failing and self._random.random() < self.habit.fixed:
            self._statuses[self._random.choice(failing)] = "pass"
            self._say()
            return
        rule = self._random.randrange(FINDINGS)
        self._statuses[rule] = "fail"
        if self._random.random() < self.habit.healed:
            self._heal(rule)
        else:
            self._say()

    def _heal(self, rule: int) -> None:
        self._seal()
        action = self._hex(32)
        intent = self._append(Kind.INTENT, intent_body(action, rule))
        self._at += timedelta(milliseconds=self._random.randrange(300, 3000))
        self._append(Kind.OUTCOME, outcome_body(action, rule), closes=intent)
        self._statuses[rule] = "pass"
        outcome = {"action": action, "runbook": "enforce-sysctl", "result": "healed"}
        self._say([outcome])
        # The next run differs from this one, for nothing was done in it.
        self._moved = True
        self._extra += 1

    def _say(self, outcomes: list[Body] | None = None) -> None:
        """A run with all its findings."""
        self._seal()
        self._moved = self.habit.news_every == 1
        self._like = self.ledger.tip.seq + 1
        self._day = stamp(self._at)[:10]
        self._append(Kind.RUN, self._run_body(outcomes or []))

    def _repeat(self, took: timedelta) -> None:
        """A run that found what the newest one with findings found."""
        before = self._at if not self._ticks else self._waiting_to
        self._ticks.append((self._at - before) // timedelta(milliseconds=1))
        self._waiting_to = self._at
        if len(self._ticks) >= self.habit.sealed:
            self._seal(took // timedelta(milliseconds=1))

    def _seal(self, took_ms: int = 1000) -> None:
        if self._ticks:
            body: Body = {"like": self._like, "reached": True, "took_ms": took_ms}
            if self.habit.sealed > 1:
                late = (self._at - self._waiting_to) // timedelta(milliseconds=1)
                body |= {"ticks": self._ticks, **({"ago_ms": late} if late else {})}
            self.ledger.append_slim(Kind.RUN, body, at=self._at, clock=self._clock())
            self._ticks = []

    def _sign_root(self) -> None:
        self._seal()
        self._checkpoint = self._at
        note = {"note": self.ledger.note()}
        made = self.ledger.append_slim(Kind.CHECKPOINT, note, at=self._at, clock=self._clock())
        self._signed = {"seq": made.seq, "sha256": made.digest, **note}

    def _append(self, kind: Kind, body: Body, **more: Any) -> Any:
        receipt = self.ledger.append(
            kind, body, at=self._at, subject=SUBJECT, clock=self._clock(), boot_id=BOOT, **more
        )
        return receipt.reference

    def _clock(self) -> Clock:
        up = int((self._at - START).total_seconds()) + 86_400
        return Clock("kernel", True, self._random.randrange(-400, 400), up, 0)

    def _run_body(self, outcomes: list[Body]) -> Body:
        seq, at = self.ledger.tip.seq + 1, stamp(self._at)
        findings = [self._finding(rule, status) for rule, status in enumerate(self._statuses)]
        for finding in findings:
            name, status = finding["rule"], finding["status"]
            if self._since.get(name, {}).get("status") != status:
                self._since[name] = {"status": status, "seq": seq, "at": at}
        return run_body(findings) | {
            "run": self._hex(16),
            "outcomes": outcomes,
            "started_at": at,
            "finished_at": at,
            "reached_at": at,
            "checkpoint_at": stamp(self._checkpoint),
            "upkeep": {"checkpoint": self._signed, "cosigned": {}, "anchors": [], "copied": None},
            "promise_s": self.habit.interval_s + 30,
            "since": dict(self._since),
        }

    def _finding(self, rule: int, status: str) -> Body:
        return finding_body(rule, status, self._random.randrange(10_000), self._hex(32))

    def _hex(self, count: int) -> str:
        return self._random.randbytes(count).hex()


def finding_body(rule: int, status: str, observed: int, raw_digest: str) -> Body:
    """A finding of the usual size."""
    return {
        "rule": f"baseline-rule-{rule:02}",
        "check": f"LNX-SYSCTL-{rule:03}",
        "status": status,
        "severity": "low",
        "controls": ["hipaa:164.308(a)(1)(ii)(B)", "hipaa:164.312(e)(1)"],
        "observed": {"number": observed if rule % 8 == 0 else rule},
        "expected": {"number": str(rule)},
        "failed": [] if status == "pass" else ["number"],
        "reason": "",
        "exception": None,
        "raw_digest": raw_digest,
    }


def run_body(findings: list[Body]) -> Body:
    """What does not change from run to run, beside its findings."""
    return {
        "mode": "enforce",
        "intent": {
            "accepted": {"commit": SUBJECT.commit, "counter": 7},
            "fetched": True,
            "refused": None,
        },
        "census": {"checks": 61, "rules": 39, "runbooks": 12, "steps": 17},
        "findings": findings,
        "plan": {"digest": "e" * 64, "actions": [], "unplanned": []},
        "not_done": [],
        "memory": {
            "accepted": {"commit": SUBJECT.commit, "counter": 7},
            "attempts": {},
            "refusal": None,
        },
    }


def intent_body(action: str, rule: int) -> Body:
    """What is going to be done."""
    return {
        "action": {
            "id": action,
            "target": "workstation",
            "tier": "L1",
            "rules": [f"baseline-rule-{rule:02}"],
            "runbook": "enforce-sysctl",
            "runbook_digest": "f" * 64,
            "params": {"name": "net.ipv4.conf.all.accept_redirects", "value": 0},
        },
        "desired": {"commit": SUBJECT.commit, "counter": 7},
        "before": {f"baseline-rule-{rule:02}": "fail"},
        "verdicts": [
            {"guard": guard, "ruling": "allow", "reason": "", "retry_after_s": None}
            for guard in ("mode", "window", "flap", "budget", "backup")
        ],
    }


def outcome_body(action: str, rule: int) -> Body:
    """How it ended."""
    step = {
        "id": "set",
        "kind": "sysctl-set",
        "results": [{"ok": True, "reason": "", "ms": 12}, {"ok": True, "reason": "", "ms": 3}],
    }
    return {
        "run": action,
        "action": action,
        "runbook": "enforce-sysctl",
        "rules": [f"baseline-rule-{rule:02}"],
        "result": "healed",
        "reason": "",
        "steps": [step],
        "undone": [],
        "rollback": None,
        "after": {f"baseline-rule-{rule:02}": "pass"},
    }
