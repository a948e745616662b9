"""Long ledgers, made fast: every entry signed and valid, written into packs and not one by one.

``python -m benchmarks.long_ledger DIRECTORY --runs 100000`` makes one to look at.
"""

import argparse
import shutil
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.drift import BOOT, START, SUBJECT, Habit, Host
from benchmarks.scratch import directory
from reconciler.evidence import sshsig
from reconciler.evidence.entry import Entry, stamp
from reconciler.evidence.source import object_id
from reconciler.ledger import keys
from reconciler.ledger.packing.placing import partial_pack, place_pack
from reconciler.ledger.packing.repack import repack
from reconciler.ledger.packing.select import Chosen
from reconciler.ledger.packing.writer import write_pack
from reconciler.ledger.store import Ledger
from reconciler.ledger.writer import Writer

CLIENT, HOST = "example-clinic", "workstation"
REF = f"refs/heads/{CLIENT}/{HOST}"
PACKED = 2016
"""Runs in a pack before it is merged with others: a week of one every five minutes."""

_SERIES = ("", "entries/", "entries/{}/", "entries/{}/{}/", "entries/{}/{}/{}/")


@dataclass(frozen=True, slots=True)
class Place:
    """A ledger on the disk.

    Attributes:
        repository: Its directory.
        key: File of its key.
        signers: File that lists who may sign.
    """

    repository: Path
    key: Path
    signers: Path

    def open(self) -> Ledger:
        """For appending, synced as always."""
        return Ledger.open(self.repository, CLIENT, HOST, keys.load(self.key))


class PackWriter(Writer):
    """Keeps what it is given until it is told to write all of it into one pack."""

    def __init__(self, path: Path, key: Ed25519PrivateKey) -> None:
        """As `Writer`."""
        super().__init__(path, key)
        self._kept: list[list[Chosen]] = []
        self._newest: str | None = None
        self._tree: str | None = None

    def write(self, entry: Entry, payload: bytes, parent: str | None) -> str:
        """Sign an entry and keep it."""
        root = self._tree or self._root(parent)
        planted = self._planted(entry, payload, root)
        raw = self._signed(entry, payload, planted.root, parent)
        self._newest, self._tree = object_id("commit", raw), planted.root
        series = [path.format(*stamp(entry.time)[:10].split("-")) for path in _SERIES]
        self._kept.append(
            [
                Chosen("commit", self._newest, raw, "", planted.root),
                *(
                    Chosen(
                        kind, object_id(kind, data), data, series.pop(0) if kind == "tree" else ""
                    )
                    for kind, data in reversed(planted.objects)
                ),
            ]
        )
        return self._newest

    def flush(self) -> None:
        """Write what is kept, and move the branch."""
        with partial_pack(self._path / "objects/pack") as file:
            newest_first = (one for commit in reversed(self._kept) for one in commit)
            place_pack(file, write_pack(newest_first, file))
        reference = self._path / REF
        reference.parent.mkdir(parents=True, exist_ok=True)
        reference.write_text(f"{self._newest}\n")
        self._kept = []
        repack(self._path, REF)


def build(directory: Path, runs: int, habit: Habit) -> Place:
    """Make a ledger of so many runs.

    Args:
        directory: Where, with its key and signers beside it; must exist.
        runs: How many.
        habit: How the host is looked at.
    """
    place = Place(directory / "ledger.git", directory / "key", directory / "signers")
    key = keys.generate(place.key, f"{CLIENT}/{HOST}")
    public = sshsig.public_text(sshsig.raw_public(key))
    place.signers.write_text(f'{CLIENT}/{HOST} namespaces="git" {public}\n')
    first = {"memory": {"accepted": None, "attempts": {}, "refusal": None}, "key": public}
    with Ledger.create(
        place.repository,
        CLIENT,
        HOST,
        key,
        body=first,
        at=START,
        signers_file=place.signers,
        subject=SUBJECT,
        boot_id=BOOT,
    ):
        pass
    grow(place, runs, habit)
    return place


def grow(place: Place, runs: int, habit: Habit) -> None:
    """Have a ledger go on for so many runs.

    Args:
        place: The ledger.
        runs: How many.
        habit: How the host is looked at.
    """
    with place.open() as ledger:
        writer = PackWriter(place.repository, keys.load(place.key))
        ledger._writer.close()
        ledger._writer = writer
        # Within the shortest interval, so that no promise is broken.
        host = Host(ledger, habit, ledger.tip.time + timedelta(minutes=1))
        while host.runs < runs:
            host.live(min(PACKED, runs - host.runs))
            writer.flush()


@cache
def shared(runs: int, habit: Habit = Habit()) -> Place:  # noqa: B008 - frozen
    """A ledger that several benchmarks read; do not change it."""
    return build(directory(), runs, habit)


def copied(place: Place) -> Place:
    """A copy of a ledger, to be changed."""
    target = directory() / "ledger.git"
    shutil.copytree(place.repository, target)
    return Place(target, place.key, place.signers)


def main() -> None:
    """Make a ledger."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.long_ledger", description=__doc__)
    parser.add_argument("directory", type=Path, help="where; is made")
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--interval", type=int, default=60, metavar="SECONDS")
    parser.add_argument("--news-every", type=int, default=200, metavar="RUNS")
    parser.add_argument("--sealed", type=int, default=1, metavar="RUNS")
    asked = parser.parse_args()
    asked.directory.mkdir(parents=True)
    habit = Habit(asked.interval, asked.news_every, sealed=asked.sealed)
    made = build(asked.directory, asked.runs, habit)
    print(f"reconciler verify {made.repository} --signers {made.signers}")


if __name__ == "__main__":
    main()
