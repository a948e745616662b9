"""What an earlier audit proved, so that a later one looks only at what is new.

The cache is checked before it is used: it must belong to these signers and this version, its
newest entry must be in the history and is examined again, as are the rarer entries and some at
random, and the log it claims must be the one that the next signed entry names. It lies with the
auditor, never with the evidence, and can be deleted at any time.

A history that does not go on from what was proven is a finding: the auditor remembers, as a witness
does.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from reconciler.errors import EvidenceError, InputError, Where
from reconciler.evidence import canonical
from reconciler.evidence.audit import AuditReport
from reconciler.evidence.between_runs import BetweenRuns
from reconciler.evidence.entry import Kind
from reconciler.evidence.fault import Code, Fault, Place
from reconciler.evidence.history import history
from reconciler.evidence.key_life import KeyLife, KeyUse
from reconciler.evidence.merkle import Frontier
from reconciler.evidence.record import Branch, Record
from reconciler.evidence.whole import Gap, Start
from reconciler.ledger.durable import flush, on_disk
from reconciler.ledger.file_identity import Identity
from reconciler.ledger.objects import ObjectStore
from reconciler.version import __version__

FORMAT = 2
MAX_BYTES = 256 * 1024 * 1024
SAMPLES, SAMPLE = 6, 16
"""Places of the proven part that are looked at again, and how many entries at each."""

_HINT = "Delete the cache; the next audit is a whole one."


@dataclass(frozen=True, slots=True)
class Proven:
    """The part of a branch that an earlier audit proved.

    Attributes:
        tip: Its newest commit.
        at: Time of its newest entry.
        state: Everything else, as JSON values.
    """

    tip: str
    at: str
    state: Mapping[str, Any]

    @property
    def milestones(self) -> list[str]:
        """Commits of it, where it may be looked at again."""
        return list(self.state["milestones"])


@dataclass(slots=True)
class AuditCache:
    """A cache file.

    Attributes:
        path: Where it is.
        signers: Hex SHA-256 of the signers that the proven parts were proven under.
        branches: What was proven, by reference name.
        files: Files of packs that were found sound, by name.
    """

    path: Path
    signers: str
    branches: dict[str, Proven] = field(default_factory=dict)
    files: dict[str, Identity] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path, signers: bytes) -> "AuditCache":
        """Read a cache; one of other signers, another version or a damaged one is empty.

        Args:
            path: The file; it need not be there.
            signers: Content of the signers file.

        Raises:
            InputError: It cannot be read.
        """
        mark = hashlib.sha256(signers).hexdigest()
        cache = cls(path, mark)
        document = _read(path)
        if document is not None and document["head"] == cache._head():
            cache.branches = {ref: Proven(**one) for ref, one in document["branches"].items()}
            cache.files = {name: (a, b, c) for name, (a, b, c) in document["files"].items()}
        return cache

    def store(self) -> None:
        """Write the cache, as a whole or not at all.

        Raises:
            MachineError: It cannot be written.
        """
        branches = {ref: asdict(proven) for ref, proven in self.branches.items()}
        document = {"head": self._head(), "branches": branches, "files": self.files}
        body = json.dumps(document, sort_keys=True).encode()
        whole = hashlib.sha256(body).hexdigest().encode() + b"\n" + body
        partial = self.path.with_name(f".{self.path.name}.{secrets.token_hex(6)}")
        with on_disk(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(whole)
                flush(file)
            partial.replace(self.path)
            flush(self.path.parent)

    def _head(self) -> dict[str, Any]:
        return {"format": FORMAT, "version": __version__, "signers": self.signers}


def remember(report: AuditReport, milestones: Iterable[str]) -> Proven:
    """What a later audit needs of one that proved everything.

    Args:
        report: A branch without a fault.
        milestones: Some of its commits.

    Raises:
        EvidenceError: Not everything was proven.
    """
    start = report.end
    if start is None:
        raise EvidenceError("not everything is proven", hint=_HINT)
    newest, oldest, life = start.newest, start.oldest, start.life
    if report.tip is None or newest is None or oldest is None or life is None:
        raise EvidenceError("nothing is proven that could be remembered", hint=_HINT)
    state = {
        "log": {"size": start.log.size, "subtrees": start.log.to_hex()},
        "digest": newest.digest,
        "run": start.run,
        "promise": start.promise,
        "moment": start.moment,
        "between": asdict(start.between),
        "entries": start.entries,
        "runs": start.runs,
        "promised": start.promised,
        "counts": {kind.value: count for kind, count in start.counts.items()},
        "roots": {str(size): root.hex() for size, root in start.roots.items()},
        "gaps": [asdict(gap) for gap in start.gaps],
        "policies": list(start.policies),
        "oldest": oldest.commit,
        "keys": [_use(use) for use in life.uses],
        "marks": [mark.commit for mark in _worth_keeping(start.marks)],
        "milestones": list(milestones),
    }
    return Proven(report.tip, newest.entry.recorded_at, state)


def recall(store: ObjectStore, branch: Branch, proven: Proven) -> tuple[Start, list[Fault]]:
    """What was proven earlier, with everything checked that a later audit leans on.

    Raises:
        EvidenceError: The cache does not read as what `remember` wrote.
    """
    state, faults = proven.state, []
    again = _Again(store, branch)
    try:
        newest = again.record(proven.tip)
        if newest.digest != state["digest"] or newest.entry.seq + 1 != state["log"]["size"]:
            message = f"entry {newest.entry.seq} is not the one that was proven before"
            faults.append(Fault(Code.CACHE, newest.place, message))
        life = KeyLife(branch.signers, [_reuse(one, again) for one in state["keys"]])
        start = Start(
            log=Frontier.from_hex(state["log"]["size"], state["log"]["subtrees"]),
            life=life,
            run=state["run"],
            promise=state["promise"],
            moment=state["moment"],
            between=BetweenRuns(**state["between"]),
            entries=state["entries"],
            runs=state["runs"],
            promised=state["promised"],
            counts={Kind(kind): count for kind, count in state["counts"].items()},
            oldest=again.record(state["oldest"]),
            newest=newest,
            roots={int(size): bytes.fromhex(root) for size, root in state["roots"].items()},
            gaps=tuple(Gap(**gap) for gap in state["gaps"]),
            marks=tuple(again.record(commit) for commit in state["marks"]),
            policies=tuple(state["policies"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise EvidenceError(f"cache is malformed: {error}", hint=_HINT) from error
    return start, [*faults, *again.faults, *_sampled(store, branch, proven.milestones)]


class _Again:
    """Examines single entries again, each with its predecessor's tree."""

    def __init__(self, store: ObjectStore, branch: Branch) -> None:
        self._store, self._branch = store, branch
        self._known: dict[str, Record] = {}
        self.faults: list[Fault] = []

    def record(self, commit: str) -> Record:
        if commit not in self._known:
            step = next(history(self._store, self._branch, commit, until=commit))
            self.faults += step.faults
            if step.record is None:
                message = f"commit {commit}, proven before, proves nothing any more"
                raise EvidenceError(message, hint=_HINT)
            self._known[commit] = step.record
        return self._known[commit]


def _sampled(store: ObjectStore, branch: Branch, milestones: list[str]) -> list[Fault]:
    source = secrets.SystemRandom()
    chosen = source.sample(milestones, min(SAMPLES, len(milestones)))
    steps = (step for one in chosen for step in islice(history(store, branch, one), SAMPLE))
    return [fault for step in steps for fault in step.faults]


def _worth_keeping(marks: Iterable[Record]) -> list[Record]:
    """Marks without what a later audit has no use for: checkpoints that nothing refers to."""
    kept, cosigned = [], {}
    marks = tuple(marks)
    anchored = {
        mark.entry.body["checkpoint"]["seq"] for mark in marks if mark.entry.kind is Kind.ANCHOR
    }
    for mark in marks:
        if mark.entry.kind is Kind.COSIGNATURE:
            cosigned[mark.entry.body.get("origin")] = mark
        elif mark.entry.kind is not Kind.CHECKPOINT or mark.entry.seq in anchored:
            kept.append(mark)
    newest = [mark for mark in marks if mark.entry.kind is Kind.CHECKPOINT][-1:]
    together = {mark.entry.seq: mark for mark in (*kept, *cosigned.values(), *newest)}
    return [together[seq] for seq in sorted(together)]


def _use(use: KeyUse) -> dict[str, Any]:
    return {
        "public": use.public.hex(),
        "by": use.by,
        "reason": use.reason,
        "first": None if use.first is None else use.first.commit,
        "last": None if use.last is None else use.last.commit,
        "until": use.until,
    }


def _reuse(one: Mapping[str, Any], again: _Again) -> KeyUse:
    first, last = one["first"], one["last"]
    return KeyUse(
        bytes.fromhex(one["public"]),
        one["by"],
        one["reason"],
        None if first is None else again.record(first),
        None if last is None else again.record(last),
        one["until"],
    )


def not_continued(ref: str, proven: Proven) -> Fault:
    """The fault of a history that does not contain what was proven of it earlier."""
    message = f"commit {proven.tip} of {proven.at} was proven before and is not in this history"
    return Fault(Code.CACHE, Place(commit=proven.tip, path=ref), message)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        message = f"cache cannot be read: {error.strerror}"
        raise InputError(message, hint=_HINT, where=Where(str(path))) from error
    mark, _, body = data.partition(b"\n")
    if len(data) > MAX_BYTES or canonical.digest(body) != mark.decode("ascii", "replace"):
        return None
    document: dict[str, Any] = json.loads(body)
    return document
