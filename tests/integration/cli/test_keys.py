"""The life of keys on the command line, as an operator and a recovery person live it."""

import io
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli import execute as run
from reconciler.evidence import sshsig
from reconciler.evidence.statement import Kind
from reconciler.ledger import keys
from reconciler.ledger.lock import HostLock
from reconciler.ledger.store import Ledger
from reconciler.ledger.verify import load_signers, verify
from tests.support.appliances import Site, new_site
from tests.support.tpm import require_tpm, software_tpm

pytestmark = pytest.mark.integration

FLEET_FILE = "policies/trust/evidence_signers"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return new_site(tmp_path / "var")


def told(capsys, *argv: object, code: int = 0) -> dict[str, Any]:
    """What a command says with --json."""
    assert run([*map(str, argv), "--json"]) == code, capsys.readouterr().err
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def refused(capsys, *argv: object, code: int) -> str:
    assert run(list(map(str, argv))) == code
    return capsys.readouterr().err


def place(site: Site, name: str = "appliance") -> Path:
    return site.directory / "keys" / name


def appended(site: Site) -> None:
    """One more entry by the key that is in its place."""
    client, host = "example-clinic", "workstation"
    key, signers = keys.load(place(site)), load_signers(Path(site.signers))
    with Ledger.open(Path(site.evidence), client, host, key, signers=signers) as ledger:
        ledger.append(Kind.ANNOTATION, {"text": "hello"}, at=ledger.tip.time, subject=None)


def verifies(site: Site) -> bool:
    return verify(Path(site.evidence), load_signers(Path(site.signers))).ok


def recovery_person(site: Site, directory: Path) -> Path:
    """A person who may authorize replacements, with a key of stock OpenSSH."""
    key = directory / "recovery"
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key)]
    subprocess.run(command, check=True, timeout=30)
    words = key.with_suffix(".pub").read_text().split()[:2]
    line = f'recovery@msp.example namespaces="reconciler-key-recovery" {" ".join(words)}\n'
    file = Path(site.signers)
    file.write_text(file.read_text() + line)
    return key


def test_enrolling_makes_a_key_and_its_line(tmp_path: Path, capsys) -> None:
    where = ("--client", "elm", "--host", "front", "--directory", tmp_path / "var")
    made = told(capsys, "keys", "enroll", *where, "--protect", "file")
    key = tmp_path / "var" / "keys" / "appliance"
    assert key.stat().st_mode & 0o777 == 0o600
    assert made["made"] is True
    assert made["line"] == f'elm/front namespaces="git" {public(key)}'
    assert (tmp_path / "var/trust/evidence_signers").read_text() == made["line"] + "\n"
    again = told(capsys, "keys", "enroll", *where, "--protect", "file")
    assert (again["made"], again["line"]) == (False, made["line"])
    assert (tmp_path / "var/trust/evidence_signers").read_text() == made["line"] + "\n"


def public(key: Path) -> str:
    return sshsig.public_text(keys.public(keys.load(key)))


def test_enrolling_prepares_the_pull_request(site: Site, capsys) -> None:
    fleet = site.fleet
    made = told(capsys, "keys", "enroll", "--config", site.settings, "--fleet", fleet)
    assert made["made"] is False
    assert (fleet / FLEET_FILE).read_text() == made["line"] + "\n"
    switch, add, commit, push = made["commands"]
    assert switch.endswith("switch -c enroll-example-clinic-workstation")
    assert add.endswith(f"add {FLEET_FILE}")
    assert 'commit -S -m "Enroll example-clinic/workstation"' in commit
    assert "push" in push
    subprocess.run(switch.split(), check=True, capture_output=True, timeout=30)
    subprocess.run(add.split(), check=True, capture_output=True, timeout=30)


def test_enrolling_wants_settings_or_a_whole_place(tmp_path: Path, capsys) -> None:
    error = refused(capsys, "keys", "enroll", "--client", "elm", code=2)
    assert "all of --client, --host and --directory" in error
    where = ("--client", "Elm Street", "--host", "front", "--directory", tmp_path)
    assert "DNS label" in refused(capsys, "keys", "enroll", *where, code=2)


def test_enrolling_for_people_says_what_to_do(tmp_path: Path, capsys) -> None:
    where = ["--client", "elm", "--host", "front", "--directory", str(tmp_path)]
    assert run(["keys", "enroll", *where, "--protect", "file"]) == 0
    said = capsys.readouterr().out
    assert "new key  SHA256:" in said
    assert f"This line goes into {FLEET_FILE}" in said


def test_enrolling_with_a_tpm_says_how_the_service_gets_its_key(
    tmp_path: Path, capsys, monkeypatch
) -> None:
    require_tpm()
    where = ("--client", "elm", "--host", "front", "--directory", tmp_path / "var")
    with software_tpm(tmp_path / "tpm") as device:
        monkeypatch.setenv("RECONCILER_TPM_DEVICE", device)
        made = told(capsys, "keys", "enroll", *where)
    files = sorted(file.name for file in (tmp_path / "var" / "keys").iterdir())
    assert files == ["appliance.cred", "appliance.pub"]
    unit, settings = made["service"]
    assert unit.endswith(f"LoadCredentialEncrypted=appliance:{tmp_path}/var/keys/appliance.cred")
    assert settings.endswith("evidence.key: credential:appliance")


def test_a_fleet_that_is_none_is_refused(site: Site, tmp_path: Path, capsys) -> None:
    argv = ("keys", "enroll", "--config", site.settings, "--fleet", tmp_path)
    assert "no fleet repository" in refused(capsys, *argv, code=5)


def test_rotating(site: Site, capsys) -> None:
    fleet = site.fleet
    told(capsys, "keys", "enroll", "--config", site.settings, "--fleet", fleet)
    old = public(place(site))
    argv = ("keys", "rotate", "--config", site.settings, "--fleet", fleet, "--reason", "suspected")
    changed = told(capsys, *argv)
    assert (changed["action"], changed["seq"], changed["oldSignsUntil"]) == ("rotate", 1, 1)
    appended(site)
    assert verifies(site)
    assert (fleet / FLEET_FILE).read_text() == Path(site.signers).read_text()
    first, second = Path(site.signers).read_text().splitlines()
    assert first.endswith(f"{old} ledger:0-1")
    assert second == changed["line"]
    assert second.endswith(f"{public(place(site))} ledger:2-")
    assert any(
        command.endswith('"Change the key of example-clinic/workstation"')
        for command in changed["commands"]
    )


def test_rotating_while_the_daemon_runs_is_refused(site: Site, capsys) -> None:
    with HostLock(site.directory / "state" / "lock"):
        error = refused(capsys, "keys", "rotate", "--config", site.settings, code=7)
    assert "is held by process" in error


def test_rotating_for_people_says_what_to_do(site: Site, capsys) -> None:
    assert run(["keys", "rotate", "--config", site.settings]) == 0
    said = capsys.readouterr().out
    assert "signs until entry 1" in said
    assert "remove it once the entry is pushed" in said


def test_replacing_a_lost_key(site: Site, tmp_path: Path, capsys) -> None:
    person = recovery_person(site, tmp_path)
    for file in place(site).parent.glob("appliance*"):
        file.unlink()
    config = ("keys", "replace", "--config", site.settings)
    asked = told(capsys, *config, "--request", tmp_path / "request.json")
    assert asked["seq"] == 1
    signed = told(capsys, "keys", "authorize", tmp_path / "request.json", "--key", person, "--yes")
    assert signed["fingerprint"] == asked["fingerprint"]
    armor = tmp_path / "request.json.sig"
    changed = told(capsys, *config, "--authorization", armor)
    assert (changed["action"], changed["seq"], changed["oldSignsUntil"]) == ("replace", 1, 0)
    appended(site)
    assert verifies(site)


def test_stock_ssh_keygen_authorizes_as_well(site: Site, tmp_path: Path, capsys) -> None:
    person = recovery_person(site, tmp_path)
    request = tmp_path / "request.json"
    config = ("keys", "replace", "--config", site.settings)
    told(capsys, *config, "--request", request)
    command = ["ssh-keygen", "-Y", "sign", "-q", "-n", "reconciler-key-recovery"]
    subprocess.run([*command, "-f", str(person), str(request)], check=True, timeout=30)
    told(capsys, *config, "--authorization", f"{request}.sig", "--reason", "lost")
    assert verifies(site)


def test_replacing_needs_the_right_person(site: Site, tmp_path: Path, capsys) -> None:
    recovery_person(site, tmp_path)
    request = tmp_path / "request.json"
    told(capsys, "keys", "replace", "--config", site.settings, "--request", request)
    engineer = site.directory / "keys" / "engineer"
    told(capsys, "keys", "authorize", request, "--key", engineer, "--yes")
    argv = ("keys", "replace", "--config", site.settings, "--authorization", f"{request}.sig")
    assert "unknown-key" in refused(capsys, *argv, code=6)
    argv = ("keys", "replace", "--config", site.settings, "--authorization", tmp_path / "none")
    assert "cannot be read" in refused(capsys, *argv, code=5)


def test_authorizing_shows_and_asks(site: Site, tmp_path: Path, capsys, monkeypatch) -> None:
    request = tmp_path / "request.json"
    told(capsys, "keys", "replace", "--config", site.settings, "--request", request)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    engineer = site.directory / "keys" / "engineer"
    error = refused(capsys, "keys", "authorize", request, "--key", engineer, code=130)
    assert "refs/heads/example-clinic/workstation" in error
    assert "takes over at    entry 1" in error
    assert not request.with_name("request.json.sig").exists()


@pytest.mark.parametrize("data", [b"", b"{}", b'{"action":"replace"}', b"x" * 5000])
def test_what_is_no_request_is_not_signed(tmp_path: Path, capsys, data: bytes) -> None:
    request = tmp_path / "request.json"
    request.write_bytes(data)
    keys.generate(tmp_path / "key", "a")
    refused(capsys, "keys", "authorize", request, "--key", tmp_path / "key", "--yes", code=6)
    assert not request.with_name("request.json.sig").exists()


def test_revoking_ends_a_key_at_an_entry(site: Site, capsys) -> None:
    appended(site)
    appended(site)
    mark = sshsig.fingerprint(keys.public(keys.load(place(site))))
    argv = (
        "keys",
        "revoke",
        mark,
        "--last-seq",
        1,
        "--reason",
        "stolen",
        "--signers",
        site.signers,
    )
    assert told(capsys, *argv)["lastSeq"] == 1
    assert Path(site.signers).read_text().endswith(" ledger:0-1 revoked: stolen\n")
    result = verify(Path(site.evidence), load_signers(Path(site.signers)))
    assert not result.ok
    assert "out-of-position" in str(result.faults[0])
    (row,) = told(capsys, "keys", "list", "--config", site.settings)["keys"]
    assert (row["state"], row["lines"][0]["positions"]) == ("closed, still in use", [0, 1])


def test_revoking_in_the_fleet_shows_the_commands(site: Site, capsys) -> None:
    fleet = site.fleet
    told(capsys, "keys", "enroll", "--config", site.settings, "--fleet", fleet)
    mark = sshsig.fingerprint(keys.public(keys.load(place(site))))
    argv = ("keys", "revoke", mark, "--last-seq", 0, "--reason", "lost", "--fleet", fleet)
    assert len(told(capsys, *argv)["commands"]) == 4
    assert "ledger:0-0 revoked: lost" in (fleet / FLEET_FILE).read_text()


def test_revoking_wants_a_listed_key_and_one_file(site: Site, capsys) -> None:
    argv = ("keys", "revoke", "SHA256:none", "--last-seq", 1, "--reason", "x")
    assert "--signers FILE or --fleet DIR" in refused(capsys, *argv, code=2)
    error = refused(capsys, *argv, "--signers", site.signers, code=5)
    assert "no key SHA256:none is listed" in error
    mark = sshsig.fingerprint(keys.public(keys.load(place(site))))
    argv = ("keys", "revoke", mark, "--last-seq", 1, "--reason", "a\nb", "--signers", site.signers)
    assert "not one plain line" in refused(capsys, *argv, code=5)


def test_listing_tells_how_each_key_stands(site: Site, tmp_path: Path, capsys) -> None:
    recovery_person(site, tmp_path)
    witness = keys.generate(tmp_path / "witness", "witness/hub")
    file = Path(site.signers)
    file.write_text(f"{file.read_text()}witness/hub {sshsig.public_text(keys.public(witness))}\n")
    appended(site)
    told(capsys, "keys", "rotate", "--config", site.settings)
    listed = told(capsys, "keys", "list", "--config", site.settings)
    assert listed["faults"] == {}
    rows = listed["keys"]
    assert [(row["role"], row["state"]) for row in rows] == [
        ("appliance", "retired"),
        ("recovery", "open"),
        ("witness", "open"),
        ("appliance", "announced"),
    ]
    assert rows[0]["use"]["last"]["seq"] == 2
    assert rows[0]["use"]["by"] == "genesis"
    assert (rows[3]["use"]["by"], rows[3]["use"]["reason"]) == ("rotate", "scheduled")
    appended(site)
    rows = told(capsys, "keys", "list", "--config", site.settings)["keys"]
    assert rows[3]["state"] == "in use"
    assert rows[3]["use"]["first"]["seq"] == 3


def test_listing_a_file_alone_reads_nothing_else(site: Site, capsys) -> None:
    (row,) = told(capsys, "keys", "list", "--signers", site.signers)["keys"]
    assert (row["state"], row["use"]) == ("open", None)


def test_listing_names_keys_that_are_not_listed(site: Site, tmp_path: Path, capsys) -> None:
    file = tmp_path / "signers"
    other = keys.generate(tmp_path / "other", "x")
    file.write_text(f"example-clinic/workstation {sshsig.public_text(keys.public(other))}\n")
    argv = ("keys", "list", "--signers", file, "--repository", site.evidence)
    listed = told(capsys, *argv)
    assert [row["state"] for row in listed["keys"]] == ["open", "not listed"]
    assert listed["faults"] == {"example-clinic/workstation": 1}


def test_listing_for_people(site: Site, capsys) -> None:
    assert run(["keys", "list", "--config", site.settings]) == 0
    said = capsys.readouterr().out
    assert "example-clinic/workstation  appliance  in use  SHA256:" in said
    assert "any entry; by genesis; signed entries 0" in said


def test_generate_and_show_are_as_before(tmp_path: Path, capsys) -> None:
    file = tmp_path / "key"
    made = told(capsys, "keys", "generate", file, "--comment", "elm/front")
    shown = told(capsys, "keys", "show", file)
    assert made["fingerprint"] == shown["fingerprint"]
    assert made["public"] == f"{shown['public']} elm/front"
