"""One entry, handed over with a proof, checked by somebody who has nothing else."""

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from reconciler.cli.evidence_prove import check_proof, prove
from reconciler.errors import EvidenceError, InputError, ReconcilerError
from reconciler.evidence import note, sshsig
from reconciler.ledger import proofs
from reconciler.ledger.store import Branch
from tests.support.evidence_keys import test_key as key_of
from tests.support.ledger_rig import Rig, filled
from tests.support.refusals import refused
from tests.support.witness_rig import ORIGIN, checkpointed

pytestmark = pytest.mark.integration

HUB = key_of("hub")
WITNESS = note.verifier_key("witness/hub", note.COSIGNATURE, sshsig.raw_public(HUB))


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    rig = filled(tmp_path, runs=20)
    checkpointed(rig, 2)
    return rig


@pytest.fixture
def branch(rig: Rig) -> Branch:
    return Branch("smile", "desk", rig.signers)


def run(command: click.Command, *arguments: object) -> str:
    result = CliRunner().invoke(command, list(map(str, arguments)), standalone_mode=False)
    if isinstance(result.exception, ReconcilerError):
        raise result.exception
    assert result.exception is None, result.output
    return result.output


def made(rig: Rig, seq: int, *more: object) -> Path:
    text = run(prove, seq, "--repository", rig.path, "--signers", rig.signers_file, *more)
    path = rig.directory / f"{seq}.tlog-proof"
    path.write_text(text)
    return path


def entry(rig: Rig, seq: int) -> Path:
    """What ``evidence show --raw`` gives."""
    name = rig.git("ls-tree", "-r", "--name-only", "smile/desk").stdout.split("\n")[seq]
    path = rig.directory / f"{seq}.dsse.json"
    path.write_text(rig.git("show", f"smile/desk:{name}").stdout)
    return path


def log_key(rig: Rig) -> str:
    return note.verifier_key(ORIGIN, note.ED25519, sshsig.raw_public(rig.key))


def cosigned(rig: Rig) -> Path:
    with rig.open() as ledger:
        body = ledger.tip.body
    path = rig.directory / "note"
    path.write_text(note.cosign(str(body["note"]), "witness/hub", HUB, 1_800_000_000))
    return path


def test_every_entry_can_be_shown_alone(rig: Rig) -> None:
    for seq in (0, 7, 24):
        said = run(check_proof, made(rig, seq), entry(rig, seq), "--log", log_key(rig))
        assert f"entry {seq} of the 25 entries of {ORIGIN}, cosigned by no witness" in said


def test_a_witness_that_is_named_must_have_cosigned(rig: Rig) -> None:
    arguments = (entry(rig, 3), "--log", log_key(rig), "--witness", WITNESS)
    with pytest.raises(EvidenceError, match="0 of the 1 witnesses"):
        run(check_proof, made(rig, 3), *arguments)
    said = json.loads(run(check_proof, made(rig, 3, "--note", cosigned(rig)), *arguments, "--json"))
    assert (said["index"], said["cosigned"]) == (3, {"witness/hub": 1_800_000_000})
    assert "cosigned by no witness" in run(check_proof, made(rig, 3), *arguments, "--quorum", 0)


def test_a_proof_is_for_one_entry_and_one_log(rig: Rig) -> None:
    proof = made(rig, 3)
    with pytest.raises(EvidenceError, match="entry 3 is not in the log"):
        run(check_proof, proof, entry(rig, 4), "--log", log_key(rig))
    rogue = note.verifier_key(ORIGIN, note.ED25519, sshsig.raw_public(HUB))
    with pytest.raises(EvidenceError, match="not signed"):
        run(check_proof, proof, entry(rig, 3), "--log", rogue)
    with pytest.raises(EvidenceError, match="not the file of an entry"):
        junk = rig.directory / "junk"
        junk.write_text('{"payload":7}')
        run(check_proof, proof, junk, "--log", log_key(rig))
    with pytest.raises(InputError, match="cannot be read"):
        run(check_proof, proof, rig.directory / "gone", "--log", log_key(rig))


def test_json_names_what_the_reader_needs(rig: Rig) -> None:
    where = ("--repository", rig.path, "--signers", rig.signers_file)
    document = json.loads(run(prove, 5, *where, "--json"))
    assert document["log"] == log_key(rig)
    assert document["proof"].startswith("c2sp.org/tlog-proof@v1\nindex 5\n")


def test_what_cannot_be_proven_is_not_written(rig: Rig, branch: Branch) -> None:
    for seq, said in ((99, "no entry 99"), (25, "no checkpoint covers entry 25")):
        with pytest.raises(InputError, match=said):
            proofs.prove(rig.path, branch, seq)
    other = note.sign_checkpoint(note.Checkpoint(ORIGIN, 25, bytes(32)), rig.key)
    assert "entry 3 is not in the log" in refused(proofs.prove, rig.path, branch, 3, note=other)
    foreign = note.sign_checkpoint(note.Checkpoint(ORIGIN, 25, bytes(32)), HUB)
    assert "not signed" in refused(proofs.prove, rig.path, branch, 3, note=foreign)
    smaller = note.sign_checkpoint(note.Checkpoint(ORIGIN, 24, bytes(32)), rig.key)
    with pytest.raises(InputError, match="no checkpoint covers"):
        proofs.prove(rig.path, branch, 3, note=smaller)
