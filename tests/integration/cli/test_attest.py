"""``reconciler attest`` in clones of a real server, until an appliance accepts what was signed."""

import os
import pty
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from reconciler.cli import execute
from reconciler.cli.attest import SUBCOMMANDS
from reconciler.errors import IntentRefused
from reconciler.evidence import sshsig
from reconciler.trust import envelope, statements
from reconciler.trust.envelope import open_envelope
from tests.support.attest_site import ATTESTING, SIGNERS_TEXT, AttestSite, attest
from tests.support.commands import host
from tests.support.evidence_keys import test_key as key_of
from tests.support.fleet_git import SIGNERS, git_env

pytestmark = pytest.mark.integration

RUNBOOK = {"runbooks/RB-A-001.yaml": "id: RB-A-001\nmode: observe\n"}
DIGEST = "4" * 64
STORE = f"/nix/store/{'a' * 32}-nixos"


@pytest.fixture
def site(tmp_path: Path) -> AttestSite:
    return AttestSite(tmp_path)


def approve(site: AttestSite, name: str, capsys, tip: str, *more: object, code: int = 0):
    return attest(site, name, capsys, "approve", tip, "--base", "origin/main", *more, code=code)


def test_a_change_that_needs_two_lands_once_the_second_has_approved(site, capsys) -> None:
    accepted = site.accepts(None)
    tip = site.proposes("alice", RUNBOOK)
    site.git("bob", "fetch", "-q", "origin")
    said = approve(site, "bob", capsys, tip, "--key", site.key("bob"), "--plan", DIGEST)
    assert said["statement"]["approver"] == "bob@msp.example"
    assert said["statement"]["tree"] == site.fleet.git("rev-parse", f"{tip}^{{tree}}").strip()
    assert said["statement"]["base"] == accepted
    assert said["statement"]["plan"] == DIGEST
    assert said["push"] == "git push origin attestations"
    assert [row["missing"] for row in said["review"]] == [0]

    head = site.lands("alice", tip)
    with pytest.raises(IntentRefused) as refused:
        site.accepts(accepted)
    assert refused.value.reason == "approvals-missing"
    assert site.pushes("bob")
    assert site.accepts(accepted) == head


def test_the_checkout_is_left_alone(site, capsys) -> None:
    tip = site.proposes("alice", RUNBOOK)
    site.git("bob", "fetch", "-q", "origin")
    clone = site.clone("bob")
    (clone / "scratch").write_text("mine")
    before = site.git("bob", "status", "--porcelain", "--branch")
    approve(site, "bob", capsys, tip, "--key", site.key("bob"))
    assert site.git("bob", "status", "--porcelain", "--branch") == before
    assert site.git("bob", "fsck", "--strict") == ""


def test_what_is_approved_is_shown_rule_by_rule(site, capsys) -> None:
    change = {**RUNBOOK, "hosts/example-clinic/new.yaml": "id: new\n", "flake.nix": "{}\n"}
    tip = site.proposes("alice", change)
    site.git("carol", "fetch", "-q", "origin")
    argv = ["attest", "approve", tip, "--base", "origin/main", "--key", str(site.key("alice"))]
    assert execute([*argv, "--repository", str(site.clone("carol"))]) == 0
    said = capsys.readouterr()
    for words in (
        f"of {tip[:12]}, for branch main",
        "as       alice@msp.example",
        f"since    {site.base}",
        "no rule owns these: the change will be refused",
        "    flake.nix",
        "rule clients (example-clinic): needs 0; written by alice",
        "rule runbooks: needs 1; written by alice; passed over: alice wrote the change",
        "still missing: 1 for runbooks (whoever merges counts too",
    ):
        assert words in said.err
    assert "now:     git push origin attestations" in said.out


def test_two_people_sign_and_push_at_the_same_time(site, capsys) -> None:
    tip = site.proposes("alice", RUNBOOK)
    for name in ("bob", "carol"):
        site.git(name, "fetch", "-q", "origin")
        approve(site, name, capsys, tip, "--key", site.key(name))
    assert site.pushes("bob")
    assert not site.pushes("carol")
    site.git("carol", "fetch", "-q", "origin")
    joined = attest(site, "carol", capsys, "sync")
    theirs = site.git("carol", "rev-parse", "origin/attestations")
    assert site.git("carol", "rev-parse", f"{joined['commit']}^@") == theirs
    assert site.pushes("carol")
    site.source().fetch()
    source = site.source()
    source.fetch()
    tree = site.fleet.git("rev-parse", f"{tip}^{{tree}}").strip()
    approvers = {one.statement.approver for one in source.attestations().approvals(tree)}
    assert approvers == {"bob@msp.example", "carol@msp.example"}


def test_the_server_s_branch_is_taken_up_before_something_is_added(site, capsys) -> None:
    tip = site.proposes("alice", RUNBOOK)
    for name in ("bob", "carol", "erin"):
        site.git(name, "fetch", "-q", "origin")
        approve(site, name, capsys, tip, "--key", site.key(name))
        if name == "erin":
            site.git(name, "fetch", "-q", "origin")
            approve(site, name, capsys, tip, "--key", site.key(name), "--expires", "2030-12-31")
        assert site.pushes(name)
    shown = attest(site, "erin", capsys, "show", tip)
    assert len(shown["found"]) == 4
    # A clone that has everything and adds nothing stays where it is.
    assert attest(site, "erin", capsys, "sync")["commit"] == shown["attestations"]


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--key", "alice.unknown"], 6, "cannot be read"),
        (["--key", "mallory"], 5, "unknown-key"),
        (["--key", "bob", "--expires", "soon"], 2, "2026-12-31"),
        (["--key", "bob", "--plan", "deadbeef"], 6, "not allowed here"),
        (["--key", "bob", "--branch", "../main"], 5, "plain"),
        (["--key", "bob.pub"], 6, "public half"),
    ],
)
def test_what_cannot_be_signed_says_why(site, capsys, options, code, words) -> None:
    tip = site.proposes("alice", RUNBOOK)
    site.git("bob", "fetch", "-q", "origin")
    site.public("bob")
    if options[1] not in ("alice.unknown", "bob.pub"):
        site.key(options[1])
    options[1] = str(site.fleet.keys / options[1])
    err = approve(site, "bob", capsys, tip, *options, code=code)
    assert words in err
    assert "attestations" not in site.git("bob", "branch", "--list")


def test_only_what_would_land_is_approved(site, capsys) -> None:
    tip = site.proposes("alice", RUNBOOK)
    site.fleet.git("checkout", "-q", "main")
    site.fleet.commit("alice", {"hosts/example-clinic/other.yaml": "id: other\n"})
    site.fleet.git("push", "-q", "origin", "main")
    site.git("bob", "fetch", "-q", "origin")
    err = approve(site, "bob", capsys, tip, "--key", site.key("bob"), code=5)
    assert "does not contain" in err
    assert "git merge origin/main" in err


def test_a_key_of_an_agent_or_of_hardware_signs_elsewhere(site, capsys, tmp_path) -> None:
    tip = site.proposes("alice", RUNBOOK)
    site.git("bob", "fetch", "-q", "origin")
    to_sign = tmp_path / "to-sign"
    said = approve(site, "bob", capsys, tip, "--key", site.public("bob"), "--unsigned", to_sign)
    assert said["sign"] == f"ssh-keygen -Y sign -n {ATTESTING} -f KEY {to_sign}"
    private = site.key("bob")
    host(*said["sign"].replace("KEY", str(private)).split())
    add = ("add", "--payload", to_sign, "--signature", f"{to_sign}.sig")
    added = attest(site, "bob", capsys, *add)
    assert added["statement"]["approver"] == "bob@msp.example"
    (file,) = added["files"]
    data = site.git("bob", "cat-file", "blob", f"{added['commit']}:{file}").encode()
    assert open_envelope(data).public == sshsig.raw_public(key_of("bob"))

    to_sign.write_bytes(to_sign.read_bytes() + b" ")
    err = attest(site, "bob", capsys, *add, code=6)
    assert "not the bytes" in err
    to_sign.write_bytes(envelope.to_be_signed(b"{}"))
    assert "does not fit" in attest(site, "bob", capsys, *add, code=6)


def test_a_passphrase_is_asked_for_on_a_terminal_and_nowhere_else(site, capsys) -> None:
    tip = site.proposes("alice", RUNBOOK)
    site.git("bob", "fetch", "-q", "origin")
    locked = site.key("bob", "correct horse")
    err = approve(site, "bob", capsys, tip, "--key", locked, code=6)
    assert "nobody is here to give it" in err

    argv = ["attest", "approve", tip, "--base", "origin/main", "--key", str(locked), "--yes"]
    argv += ["--repository", str(site.clone("bob"))]
    for typed, code in (("tomato", 6), ("correct horse", 0)):
        assert _typing(argv, typed) == code


def _typing(
    argv: list[str], line: str, question: str = "Passphrase of", *, hidden: bool = True
) -> int:
    """Run the command line on a terminal of its own, where somebody types one line when asked."""
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, "-m", "reconciler", *argv])
    said = b""
    asked = False
    with suppress(OSError):
        while part := os.read(terminal, 4096):
            said += part
            if not asked and question.encode() in said:
                asked = True
                os.write(terminal, f"{line}\n".encode())
    os.close(terminal)
    assert asked
    assert not hidden or line.encode() not in said, "a passphrase is not echoed"
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_person_at_a_terminal_may_say_no(site) -> None:
    tip = site.proposes("alice", RUNBOOK)
    site.git("bob", "fetch", "-q", "origin")
    argv = ["attest", "approve", tip, "--base", "origin/main", "--key", str(site.key("bob"))]
    argv += ["--repository", str(site.clone("bob"))]
    assert _typing(argv, "n", "Approve this?", hidden=False) == 130
    assert "attestations" not in site.git("bob", "branch", "--list")
    assert _typing(argv, "y", "Approve this?", hidden=False) == 0
    assert "attestations" in site.git("bob", "branch", "--list")


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
def test_only_ed25519_keys_sign(site, capsys, tmp_path, kind) -> None:
    tip = site.proposes("alice", RUNBOOK)
    site.git("bob", "fetch", "-q", "origin")
    key = tmp_path / kind
    host("ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(key))
    assert "Ed25519" in approve(site, "bob", capsys, tip, "--key", key, code=6)
    words = approve(site, "bob", capsys, tip, "--key", f"{key}.pub", code=6)
    assert "is not ssh-ed25519" in words
    key.chmod(0o644)
    assert "can be used by others" in approve(site, "bob", capsys, tip, "--key", key, code=6)
    key.write_text("no key")
    key.chmod(0o600)
    assert "not an Ed25519 key" in approve(site, "bob", capsys, tip, "--key", key, code=6)


def test_a_key_behind_a_link_is_a_key(site, capsys, tmp_path) -> None:
    tip = site.proposes("alice", RUNBOOK)
    site.git("bob", "fetch", "-q", "origin")
    link = tmp_path / "link"
    link.symlink_to(site.key("bob"))
    assert approve(site, "bob", capsys, tip, "--key", link)["files"]


def test_without_a_policy_nobody_needs_to_approve(tmp_path, capsys) -> None:
    site = AttestSite(tmp_path, {SIGNERS: SIGNERS_TEXT, "hosts/a.yaml": "id: a\n"})
    tip = site.proposes("alice", RUNBOOK)
    site.git("bob", "fetch", "-q", "origin")
    argv = ["attest", "approve", tip, "--base", "origin/main", "--key", str(site.key("bob"))]
    assert execute([*argv, "--repository", str(site.clone("bob"))]) == 0
    assert "no trust policy: nobody needs to approve" in capsys.readouterr().err
    shown = attest(site, "bob", capsys, "show", tip)
    assert shown["found"][0]["why_not"] == "there is no trust policy to say who counts"


def test_heartbeats_count_up_and_the_newest_stays(site, capsys) -> None:
    for expected in (1, 2, 3):
        said = attest(site, "ci", capsys, "heartbeat", "--key", site.key("ci"))
        assert said["statement"]["counter"] == expected
        assert said["files"] == ["heartbeats/main/heartbeat.dsse.json"]
        assert site.pushes("ci")
    assert said["statement"]["commit"] == site.base
    assert said["statement"]["branch"] == "main"

    # Two runners: both are number 4 and 5, and the higher one stays whoever joins.
    site.git("other", "fetch", "-q", "origin")
    for name, times in (("other", 1), ("ci", 2)):
        for _ in range(times):
            attest(site, name, capsys, "heartbeat", "--key", site.key("ci"))
    assert site.pushes("ci")
    assert not site.pushes("other")
    site.git("other", "fetch", "-q", "origin")
    attest(site, "other", capsys, "sync")
    shown = attest(site, "other", capsys, "show")
    assert [one["statement"]["counter"] for one in shown["found"]] == [5]
    assert [one["counts_for"] for one in shown["found"]] == ["ci"]


@pytest.mark.parametrize("kind", ["release", "heartbeat"])
@pytest.mark.parametrize(
    ("who", "note"),
    [("alice", "note: no appliance will count it: alice has no role {kind}"), ("ci", "")],
)
def test_a_key_without_the_role_is_told_so(site, capsys, kind, who, note) -> None:
    argv = ["attest", kind, "--key", str(site.key(who)), "--repository", str(site.clone("ci"))]
    assert execute(argv) == 0
    assert capsys.readouterr().err.strip() == note.format(kind=kind)


def test_a_year_of_history_is_dropped_and_no_file_is(site, capsys) -> None:
    for _ in range(3):
        attest(site, "ci", capsys, "heartbeat", "--key", site.key("ci"))
    assert site.pushes("ci")
    site.git("bob", "fetch", "-q", "origin")
    said = attest(site, "bob", capsys, "sync", "--anew")
    assert said["push"] == "git push --force-with-lease origin attestations"
    site.git("bob", *said["push"].split()[1:])
    source = site.source()
    source.fetch()
    assert source.attestations().commit == said["commit"]
    assert site.git("bob", "rev-list", "--count", "attestations") == "1"

    # CI goes on from an old clone: its push is refused, it joins, and the history stays dropped.
    attest(site, "ci", capsys, "heartbeat", "--key", site.key("ci"))
    assert not site.pushes("ci")
    site.git("ci", "fetch", "-q", "origin")
    attest(site, "ci", capsys, "sync")
    assert site.pushes("ci")
    assert site.git("ci", "rev-list", "--count", "attestations") == "2"
    shown = attest(site, "ci", capsys, "show")
    assert [one["statement"]["counter"] for one in shown["found"]] == [4]


def test_nobody_else_can_use_the_numbers_up(site, capsys) -> None:
    for name in ("mallory", "bob"):
        options = ("--key", site.key(name), "--counter", 2**53 - 1)
        said = attest(site, name, capsys, "heartbeat", *options)
        assert said["statement"]["counter"] == 2**53 - 1
        assert site.pushes(name)
        site.git("ci", "fetch", "-q", "origin")
        said = attest(site, "ci", capsys, "heartbeat", "--key", site.key("ci"))
        assert said["statement"]["counter"] < 10
        assert site.pushes("ci")
        site.git("bob", "fetch", "-q", "origin")


def test_a_release_names_every_file(site, capsys) -> None:
    system = f"example-clinic/desk={STORE}.drv,{STORE},{DIGEST}"
    options = ("--key", site.key("ci"), "--system", system)
    said = attest(site, "ci", capsys, "release", "origin/main", *options)
    statement = said["statement"]
    clone = site.clone("ci")
    command = (
        "for f in $(find acknowledgements approvals hosts policies runbooks -type f 2>/dev/null "
        "| LC_ALL=C sort); "
        "do sha256sum $f; done | sha256sum"
    )
    listed = host("sh", "-c", f"cd {clone}; {command}").split()[0]
    assert statement["files_sha256"] == listed
    raw = host("git", "-C", str(clone), "cat-file", "commit", site.base, env=git_env(clone))
    assert statement["subject"][0]["digest"]["sha256"] == statements.commit_digest(raw.encode())
    assert statement["systems"]["example-clinic/desk"]["nar_sha256"] == DIGEST
    shown = attest(site, "ci", capsys, "show", "origin/main")
    assert [one["counts_for"] for one in shown["found"]] == ["ci"]
    execute(["attest", "show", "origin/main", "--repository", str(clone)])
    assert f"           example-clinic/desk {STORE}\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ([], 2, "one of --key"),
        (["--key", "ci", "--keyless"], 2, "one of --key"),
        (["--key", "ci", "--system", "desk"], 2, "CLIENT/HOST=DRV,PATH,NAR"),
        (["--key", "ci", "--system", "desk=a,b,c"], 6, "not allowed here"),
    ],
)
def test_a_release_that_says_nonsense_is_not_signed(site, capsys, options, code, words) -> None:
    options = [str(site.key("ci")) if option == "ci" else option for option in options]
    assert words in attest(site, "ci", capsys, "release", *options, code=code)


def test_files_for_another_job_to_publish(site, capsys, tmp_path) -> None:
    out = tmp_path / "attested"
    said = attest(site, "ci", capsys, "heartbeat", "--key", site.key("ci"), "--output", out)
    data = (out / "heartbeats/main/heartbeat.dsse.json").read_bytes()
    assert statements.read(open_envelope(data).payload).counter == 1
    assert said["output"] == str(out)
    assert "attestations" not in site.git("ci", "branch", "--list")


def recover(site: AttestSite, name: str, capsys, to: str, old: str, *more: object, code: int = 0):
    options = ("--to", to, "--replaces", old, "--reason", "rewritten-history", *more)
    return attest(site, name, capsys, "recover", *options, code=code)


def test_two_people_bless_a_history_that_was_rewritten(site, capsys) -> None:
    old = site.fleet.commit("alice", {"hosts/example-clinic/a.yaml": "id: a\n"})
    site.fleet.git("push", "-q", "origin", "main")
    for name in ("alice", "carol"):
        site.clone(name)
    accepted = site.accepts(None)
    site.fleet.reset(site.base)
    new = site.fleet.commit("alice", {"hosts/example-clinic/b.yaml": "id: b\n"})
    site.fleet.git("push", "-q", "-f", "origin", "main")

    for name in ("alice", "carol"):
        site.git(name, "fetch", "-q", "origin")
        said = recover(site, name, capsys, new, old, "--last", 2, "--key", site.key(name))
        assert said["statement"]["replaces"] == [old, site.base]
        assert site.pushes(name)
        if name == "alice":
            first = said["statement"]
            with pytest.raises(IntentRefused):
                site.accepts(accepted)
    assert said["statement"] == first, "everybody signs the same bytes"
    assert site.accepts(accepted) == new

    shown = attest(site, "carol", capsys, "show", new)
    assert sorted(one["counts_for"] for one in shown["found"]) == ["alice", "carol"]
    anew = recover(site, "carol", capsys, new, old, "--last", 2, "--anew", "--key", site.key("bob"))
    assert anew["statement"]["issued"] >= first["issued"]


def test_who_never_saw_the_old_history_joins_the_statement(site, capsys) -> None:
    old = site.fleet.commit("alice", {"hosts/example-clinic/a.yaml": "id: a\n"})
    site.fleet.git("push", "-q", "origin", "main")
    site.clone("alice")
    accepted = site.accepts(None)
    site.fleet.reset(site.base)
    new = site.fleet.commit("alice", {"hosts/example-clinic/b.yaml": "id: b\n"})
    site.fleet.git("push", "-q", "-f", "origin", "main")
    join = ("recover", "--to", "origin/main", "--key", site.key("carol"))
    assert "no statement waits" in attest(site, "carol", capsys, *join, code=2)
    site.git("alice", "fetch", "-q", "origin")
    first = recover(site, "alice", capsys, new, old, "--key", site.key("alice"))
    assert site.pushes("alice")
    site.git("carol", "fetch", "-q", "origin")
    assert "is no commit here" in recover(site, "carol", capsys, new, old, code=5)
    said = attest(site, "carol", capsys, *join)
    assert said["statement"] == first["statement"]
    assert site.pushes("carol")
    assert site.accepts(accepted) == new
    for half in (("--replaces", "HEAD"), ("--reason", "re-root")):
        assert "or neither" in attest(site, "carol", capsys, *join, *half, code=2)
    assert "--key FILE" in attest(site, "carol", capsys, *join[:3], code=2)


def test_what_does_not_count_says_why(site, capsys) -> None:
    tip = site.proposes("alice", RUNBOOK)
    site.git("bob", "fetch", "-q", "origin")
    approve(site, "bob", capsys, tip, "--key", site.key("bob"), "--expires", "2020-01-01")
    attest(site, "bob", capsys, "heartbeat", "--key", site.key("bob"))
    recover(site, "bob", capsys, tip, site.base, "--key", site.key("erin"))
    attest(site, "bob", capsys, "release", tip, "--branch", "other", "--key", site.key("ci"))
    shown = attest(site, "bob", capsys, "show", tip)
    assert [one["counts_for"] for one in shown["found"]] == [None] * 4
    assert [one["why_not"] for one in shown["found"]] == [
        "it had expired",
        "it names another branch, tree or other files",
        "bob has no role heartbeat",
        "erin has no role of the recovery",
    ]
    argv = ["attest", "show", tip, "--repository", str(site.clone("bob"))]
    assert execute(argv) == 0
    assert "approval   does not count: it had expired" in capsys.readouterr().out


def test_nothing_signed_and_nothing_to_join(site, capsys) -> None:
    argv = ["attest", "show", "--repository", str(site.clone("bob"))]
    assert execute(argv) == 0
    assert "nothing is signed about" in capsys.readouterr().out
    assert "nothing to write" in attest(site, "bob", capsys, "sync", code=5)


def test_outside_of_a_clone(tmp_path, capsys) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    argv = ["attest", "show", "--repository", str(empty), "--json"]
    assert execute(argv) == 5
    assert "no Git repository" in capsys.readouterr().err


def test_a_clone_without_history_says_so(site, capsys, tmp_path) -> None:
    tip = site.fleet.commit("alice", {"hosts/example-clinic/a.yaml": "id: a\n"})
    site.fleet.git("push", "-q", "origin", "main")
    shallow = tmp_path / "clones" / "shallow"
    host("git", "clone", "-q", "--depth=1", f"file://{site.server}", str(shallow))
    err = recover(site, "shallow", capsys, tip, tip, "--last", 2, "--key", site.key("bob"), code=5)
    assert "git fetch --unshallow" in err


def test_the_help_of_each_command(capsys) -> None:
    assert execute(["attest", "--help"]) == 0
    said = capsys.readouterr().out
    for name in SUBCOMMANDS:
        assert f"  {name} " in said
        assert execute(["attest", name, "--help"]) == 0
        assert "--repository" in capsys.readouterr().out
    assert execute(["attest", "nothing"]) == 2
