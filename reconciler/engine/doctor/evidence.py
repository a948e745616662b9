"""What vouches for the evidence of this appliance: for `reconciler doctor`. Looks only.

What nobody asked for is shown as absent, so that nobody takes it for granted. The daemon may run
meanwhile: its ledger is read, and what it remembers of its upkeep.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from reconciler.engine.appliance import read_ledger
from reconciler.engine.kept import Mark
from reconciler.engine.past import Past, recall_from
from reconciler.engine.sealing import load_queue
from reconciler.engine.settings import Home
from reconciler.engine.upkeep import anchors, checkpoints, copies, keep, packing, pushing
from reconciler.engine.upkeep.ages import Ages
from reconciler.engine.upkeep.equipment import Equipment, equip
from reconciler.errors import KeyMissing, ReconcilerError
from reconciler.evidence import sshsig
from reconciler.ledger import sealed_keys
from reconciler.ledger.anchors import plan
from reconciler.ledger.anchors.model import AnchorState
from reconciler.ledger.objects import repository_directory
from reconciler.ledger.packing.repack import due as packing_due
from reconciler.ledger.remote import memory
from reconciler.ledger.sealed_keys import CREDENTIAL, KeyFile
from reconciler.model.diagnosis import Diagnosis
from reconciler.model.run import UpkeepProblem
from reconciler.transport import push as wire

LOOK_S = 20.0
"""Seconds for a look at the evidence server."""

_ABSENT = "not asked for; see evidence in reconciler.yaml"


def diagnose_evidence(home: Home, now: datetime) -> list[Diagnosis]:
    """The signing key and everything besides the ledger; never raises for what it finds.

    Args:
        home: Settings of the appliance.
        now: Wall time.
    """
    found = [_guarded("signing key", lambda: _key(home))]
    try:
        equipment = equip(home)
        look = _Look(home, equipment, recall_from(read_ledger(home)), now)
    except ReconcilerError as error:
        return [*found, Diagnosis("evidence upkeep", "broken", str(error), error.hint)]
    parts: tuple[tuple[str, Callable[[], Diagnosis]], ...] = (
        ("checkpoint", look.checkpoint),
        ("evidence remote", look.remote),
        ("anchors", look.anchors),
        ("copies", look.copies),
        ("packs", look.packs),
        ("sealing", look.sealing),
    )
    found += [_guarded(subject, part) for subject, part in parts]
    found += look.witnesses()
    return found


def _guarded(subject: str, part: Callable[[], Diagnosis]) -> Diagnosis:
    try:
        return part()
    except ReconcilerError as error:
        return Diagnosis(subject, "broken", str(error), error.hint)


def _key(home: Home) -> Diagnosis:
    reference = home.settings.evidence.key
    place = _place(home, reference)
    try:
        key = sealed_keys.load_reference(reference, home.path, home.credentials)
    except KeyMissing as error:
        # Only the service gets the credential; its public half is for everybody.
        if not reference.startswith(CREDENTIAL) or home.credentials is not None:
            raise
        mark = sshsig.fingerprint(sealed_keys.read_public(place))
        detail = f"{mark}, {_kept(reference, place)}; only the service can use it"
        return Diagnosis("signing key", "limited", detail, error.hint)
    mark = sshsig.fingerprint(sshsig.raw_public(key))
    return Diagnosis("signing key", "ok", f"{mark}, {_kept(reference, place)}")


def _place(home: Home, reference: str) -> KeyFile:
    if reference.startswith(CREDENTIAL):
        return KeyFile.at(home.base / "keys" / reference.removeprefix(CREDENTIAL))
    return KeyFile.at(home.path(reference))


def _kept(reference: str, place: KeyFile) -> str:
    if reference.startswith(CREDENTIAL):
        kept = sealed_keys.protection_of(place)
        sealed = f"sealed in {place.sealed}" if kept == "sealed" else "from a plain file"
        return f"passed by systemd, {sealed}"
    return "in a plain file, mode 0600"


@dataclass(frozen=True, slots=True)
class _Look:
    home: Home
    equipment: Equipment
    past: Past
    now: datetime

    def checkpoint(self) -> Diagnosis:
        at = self.past.checkpoint_at
        signed = self.past.kept.checkpoint
        detail = "none yet" if signed is None else f"entry {signed.seq}, {_ago(at, self.now)}"
        return self._judged("checkpoint", checkpoints.PART, detail)

    def remote(self) -> Diagnosis:
        outbox, subject = self.equipment.outbox, "evidence remote"
        if outbox is None:
            return Diagnosis(subject, "absent", _ABSENT)
        age = self._ages.get(pushing.PART)
        last = f"last push {_ago(None if age is None else age.ok, self.now)}"
        with TemporaryDirectory() as scratch:
            seen = wire.look(
                outbox.server,
                replace(outbox.limits, timeout_s=min(outbox.limits.timeout_s, LOOK_S)),
                repository=repository_directory(outbox.repository),
                home=Path(scratch),
                branch=f"{outbox.client}/{outbox.host}",
            )
        if seen.cause is not None:
            hint = "See the settings of evidence.remote, and the server."
            what = f"does not answer: {seen.cause} ({seen.detail}); {last}"
            return Diagnosis(subject, "limited", what, hint)
        known = memory.load(pushing.push_file(self._state)).tip
        whole = "holds everything" if seen.tip == self.past.commit else "lacks the newest entries"
        whole = "holds nothing yet" if seen.tip is None else whole
        lost = known is not None and seen.tip is None
        if lost:
            hint = "Ask who keeps that repository; the next push restores it."
            return Diagnosis(subject, "limited", f"has lost what it held; {last}", hint)
        return self._judged(subject, pushing.PART, f"reachable, {whole}; {last}")

    def witnesses(self) -> Iterator[Diagnosis]:
        if not self.equipment.witnesses:
            yield Diagnosis("witnesses", "absent", _ABSENT)
        for witness in self.equipment.witnesses:
            seen = self.past.kept.cosigned.get(witness.name)
            detail = "has not vouched yet"
            if seen is not None:
                detail = f"vouched for {seen.size} entries, {_ago(seen.at, self.now)}"
            yield self._judged(witness.name, witness.name, detail)

    def anchors(self) -> Diagnosis:
        settings = self.equipment.anchors
        if settings is None:
            return Diagnosis("anchors", "absent", _ABSENT)
        marks = self.past.kept.anchors
        age = self._ages.get(anchors.PART)
        since = self.now if age is None else age.since
        view = anchors.view_of(self.past.kept, since, {}, map(anchors.unread, marks))
        work = plan.due(view, settings.ways, self.now, settings.pace)
        alarms = [f"{one.way}: {one.message}" for one in work if isinstance(one, plan.Alarm)]
        if alarms:
            hint = "See the network and evidence.anchors; the problems of each run say more."
            return Diagnosis("anchors", "limited", "; ".join(alarms), hint)
        return self._judged("anchors", anchors.PART, _anchors_detail(marks, self.now))

    def copies(self) -> Diagnosis:
        if self.equipment.store is None:
            return Diagnosis("copies", "absent", _ABSENT)
        copied = self.past.kept.copied
        detail = "none yet"
        if copied is not None:
            detail = f"up to entry {copied.seq}, {_ago(copied.at, self.now)}"
        return self._judged("copies", copies.PART, detail)

    def packs(self) -> Diagnosis:
        repository = repository_directory(self.home.path(self.home.settings.evidence.repository))
        count = len(list((repository / "objects/pack").glob("*.idx")))
        if not self.equipment.repack:
            return Diagnosis("packs", "absent", f"{count} packs; evidence.repack is off")
        waiting = ", more is due" if packing_due(repository) else ""
        return self._judged("packs", packing.PART, f"{count} packs{waiting}")

    def sealing(self) -> Diagnosis:
        seconds = self.home.settings.evidence.seal_s
        queue = load_queue(self._state)
        count = 0 if queue.waiting is None else len(queue.waiting.runs)
        if queue.trouble is not None:
            return Diagnosis("sealing", "limited", queue.trouble, "The next run says more.")
        if not seconds:
            left = f"; {count} runs wait, the next run seals them" if count else ""
            return Diagnosis("sealing", "absent", f"each run is signed by itself{left}")
        return Diagnosis("sealing", "ok", f"every {seconds} s; {count} runs wait")

    def _judged(self, subject: str, part: str, detail: str) -> Diagnosis:
        """As the age of a part says, and its last problem."""
        known = {one.part: one for one in self._alarms()}
        age = self._ages.get(part)
        if part in known:
            return Diagnosis(
                subject, "limited", f"{detail}; {known[part].message}", known[part].hint
            )
        if age is not None and age.trouble:
            hint = "It is tried again; the daemon's log says since when."
            return Diagnosis(subject, "limited", f"{detail}; last try: {age.trouble}", hint)
        return Diagnosis(subject, "ok", detail)

    def _alarms(self) -> Iterator[UpkeepProblem]:
        kept, at = self.past.kept, self.past.checkpoint_at
        return keep.alarms(self._ages, self.equipment, kept, at, self.now)

    @property
    def _ages(self) -> Ages:
        return Ages(self._state)

    @property
    def _state(self) -> Path:
        return self.home.path(self.home.settings.state)


def _anchors_detail(marks: tuple[Mark, ...], now: datetime) -> str:
    whole = [mark for mark in marks if mark.state is AnchorState.COMPLETE]
    done = {mark.note_sha256 for mark in whole}
    pending = [mark for mark in marks if mark.note_sha256 not in done]
    detail = "no whole proof yet"
    if whole:
        newest = whole[-1]
        detail = f"last whole proof by {newest.authority} {_ago(newest.at, now)}"
    if pending:
        oldest = pending[0]
        detail += f"; {len(pending)} pending, the oldest {_ago(oldest.at, now)}"
    return detail


def _ago(at: datetime | None, now: datetime) -> str:
    if at is None:
        return "never"
    minutes = int((now - at).total_seconds()) // 60
    if minutes < 120:
        return f"{max(minutes, 0)} min ago"
    return f"{minutes // 60} h ago" if minutes < 2880 else f"{minutes // 1440} days ago"
