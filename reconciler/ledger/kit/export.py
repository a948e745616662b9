"""Making a kit: verify the source, cut, bundle, unpack and verify again, then say what is there."""

import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.evidence import signers as allowed_signers
from reconciler.evidence.fault import Fault
from reconciler.evidence.signers import AllowedSigners, Signer
from reconciler.evidence.sshsig import fingerprint
from reconciler.evidence.testimony import WITNESS
from reconciler.ledger.durable import flush, on_disk
from reconciler.ledger.kit.bundle import write_kit_bundle
from reconciler.ledger.kit.cut import Cut, cut
from reconciler.ledger.kit.folder import absent, put, read, roots, seal
from reconciler.ledger.kit.notes import notes_of
from reconciler.ledger.kit.nouns import Kit, Wanted
from reconciler.ledger.kit.pdf import check_pdf, pdf
from reconciler.ledger.objects import ObjectStore, repository_directory
from reconciler.ledger.packing.unpack import unpack_bundle
from reconciler.ledger.reader import newest_first
from reconciler.ledger.verify import Verification, verify
from reconciler.report import audit, disclosures, kit_facts, kit_page
from reconciler.report.asked import file_names
from reconciler.report.control_sheet import Looker, Sheet, View, in_period, sheet
from reconciler.report.csv_export import csv
from reconciler.report.survey import survey

FORMAT = "reconciler-audit-kit/1"
BUNDLE = "evidence.bundle"


def export(wanted: Wanted, out: Path) -> Kit:
    """Make a kit.

    Args:
        wanted: What it shall hold.
        out: Directory; must not exist.

    Raises:
        InputError: A file that was named is wrong, something is in that place, or nothing that was
            asked for is in the repository.
        LedgerMissing: There is no repository.
        LedgerDamaged: An entry does not verify, so there is nothing that a kit could show.
        EvidenceError: An object is missing or damaged.
        MachineError: Disk full, read-only, no permission, or an extra is not installed.
    """
    absent(out)
    if wanted.pdf and wanted.controls:
        check_pdf()
    given = read(wanted.signers_file, allowed_signers.MAX_BYTES)
    signers = allowed_signers.parse(given, str(wanted.signers_file))
    source = verify(wanted.repository, signers, extra=wanted.extra)
    places = [_place(report.ref) for report in source.branches]
    chosen = cut(wanted, places, signers)
    with on_disk(out), tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as made:
        kit, copy = Path(made) / "kit", Path(made) / "repository"
        kit.mkdir()
        store = ObjectStore(repository_directory(wanted.repository))
        write_kit_bundle(store, chosen.ends, kit / BUNDLE)
        unpack_bundle([kit / BUNDLE], copy)
        maker = _Maker(wanted, chosen, signers, copy, _again(wanted, chosen, signers, copy))
        faults = _ours(source, chosen)
        put(kit, {"keys/allowed_signers": given, **maker.files(faults)})
        names = seal(kit, maker.about())
        kit.rename(out)
        flush(out.parent)
    empty = tuple(one.control for one in maker.sheets if one.empty)
    return Kit(names, maker.result, faults, empty)


def _again(wanted: Wanted, chosen: Cut, signers: AllowedSigners, copy: Path) -> Verification:
    """Verify what is in the kit, with what is in the kit."""
    extra = replace(wanted.extra, said=chosen.notes, known=(), store=None, now=None, cache=None)
    places = {(end.client, end.host) for end in chosen.ends}
    return verify(copy, signers, branches=places, extra=extra)


def _ours(source: Verification, chosen: Cut) -> tuple[Fault, ...]:
    """What is wrong with the source, without what only concerns appliances outside the kit."""
    ours = {end.ref for end in chosen.ends}
    near: set[Fault] = set()
    theirs: set[Fault] = set()
    for report in source.branches:
        mine = report.ref in ours or _place(report.ref)[0] == WITNESS
        found = [*report.faults]
        if report.ref in source.testimonies:
            found += source.testimonies[report.ref].faults
            found += source.anchored[report.ref].faults
        (near if mine else theirs).update(found)
    return tuple(fault for fault in source.faults if fault in near or fault not in theirs)


def _place(ref: str) -> tuple[str, str]:
    client, _, host = ref.removeprefix("refs/heads/").partition("/")
    return client, host


@dataclass(slots=True)
class _Maker:
    """Makes the files of a kit from what is in its bundle."""

    wanted: Wanted
    cut: Cut
    signers: AllowedSigners
    copy: Path
    result: Verification
    sheets: Sequence[Sheet] = ()

    def files(self, source_faults: tuple[Fault, ...]) -> dict[str, bytes]:
        """Everything besides the bundle, the keys and the manifest."""
        views = list(self._views())
        self.sheets = [sheet(name, self.wanted.period, views) for name in self.wanted.controls]
        anchors = roots(self.wanted.roots)
        ends, said = self.cut.appliances, self.cut.notes
        notes = notes_of(self.result, ends, said, self.signers, tuple(anchors))
        said_text = f"{audit.render(self.result)}\n{kit_facts.source_text(source_faults)}"
        source = {"source": kit_facts.source_document(source_faults)}
        document = json.dumps(audit.as_document(self.result) | source, indent=2, sort_keys=True)
        facts = self._facts(views, source_faults)
        return {
            "keys/fingerprints.txt": _fingerprints(self.signers),
            "verification.json": f"{document}\n".encode(),
            "verification.txt": said_text.encode(),
            "HOW-TO-CHECK.md": kit_page.page(self._checked(), notes.stamps),
            "DISCLOSURES.md": disclosures.page(self.wanted.known, kit_facts.own(facts)),
            **anchors,
            **notes.files,
            **dict(self._tables()),
        }

    def about(self) -> dict[str, object]:
        """What the manifest says besides the files."""
        period = self.wanted.period
        return {
            "format": FORMAT,
            "tool": {"reconciler": self.wanted.version},
            "period": {"start": period.start, "end": period.end},
            "asked": list(self.wanted.controls),
            "branches": [
                {
                    "ref": end.ref,
                    "commit": end.newest.commit,
                    "seq": end.newest.entry.seq,
                    "sha256": end.newest.digest,
                }
                for end in self.cut.ends
            ],
        }

    def _views(self) -> Iterator[View]:
        reports = {report.ref: report for report in self.result.branches}
        period = self.wanted.period
        for end in self.cut.appliances:
            looker = Looker()
            records = newest_first(self.copy, end.client, end.host, self.signers)
            found = survey(looker.watch(records), end.client, end.host, period)
            yield View(found, looker.since, in_period(reports[end.ref].gaps, period))

    def _tables(self) -> Iterator[tuple[str, bytes]]:
        names = file_names(self.wanted.controls)
        for one in self.sheets:
            place = f"controls/{names[one.control]}"
            yield f"{place}.csv", csv(one)
            if self.wanted.pdf:
                yield f"{place}.pdf", pdf(one)

    def _checked(self) -> list[kit_page.Checked]:
        return [
            kit_page.Checked(
                name=end.name,
                tip=end.newest.commit,
                entries=end.newest.entry.seq + 1,
                at=f"{end.newest.entry.time:%Y%m%d%H%M%S}Z",
            )
            for end in self.cut.ends
        ]

    def _facts(self, views: Sequence[View], source_faults: tuple[Fault, ...]) -> kit_facts.Facts:
        here = {end.name for end in self.cut.ends}
        others = {one.principal for one in self.signers.signers} - here
        return kit_facts.Facts(
            version=self.wanted.version,
            period=self.wanted.period,
            views=views,
            newest={end.name: end.newest.entry.seq for end in self.cut.ends},
            unproven=self.result.unproven,
            faults=self.result.faults,
            source_faults=source_faults,
            late=self.cut.late,
            apart=self.cut.apart,
            others=len(others),
            roots=self.wanted.roots is not None,
            pages=bool(self.wanted.controls),
        )


def _fingerprints(signers: AllowedSigners) -> bytes:
    return "".join(f"{line}\n" for line in map(_line, signers.signers)).encode()


def _line(signer: Signer) -> str:
    return " ".join([signer.principal, fingerprint(signer.public), *_windows(signer)])


def _windows(signer: Signer) -> Iterable[str]:
    if signer.valid_after is not None:
        yield f"valid-after={signer.valid_after:%Y-%m-%dT%H:%M:%SZ}"
    if signer.valid_before is not None:
        yield f"valid-before={signer.valid_before:%Y-%m-%dT%H:%M:%SZ}"
    if signer.positions is not None:
        first, last = signer.positions
        yield f"entries={first}-{'' if last is None else last}"
