"""What the runbooks write, read by the programs it is for; each in namespaces of its own."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.act.work import prepare
from reconciler.model.operation import WaitUntil, WriteFile
from reconciler.model.parameter import bind
from reconciler.model.probe import Command
from reconciler.model.values import Params, Value
from reconciler.steps import catalogue
from reconciler.steps.shared.nftables import ruleset
from reconciler.testing.fake_machine import FakeMachine
from tests.support.desired_states import shipped_runbook
from tests.support.rigs import rig
from tests.support.stepping import rendered

pytestmark = pytest.mark.integration

Script = Callable[[str], subprocess.CompletedProcess[str]]

PATHS = "/usr/sbin:/usr/bin:/sbin:/bin"


def program(name: str) -> str:
    found = shutil.which(name, path=PATHS)
    rig(name, None if found else "not installed")
    assert found is not None
    return found


def content(runbook_id: str, step_id: str, given: dict[str, Value] | None = None) -> bytes:
    runbook = shipped_runbook(runbook_id)
    params, problems = bind(dict(runbook.parameters), given or {})
    assert not problems
    return _written(runbook_id, step_id, params)


def _written(runbook_id: str, step_id: str, params: Params) -> bytes:
    steps = prepare(shipped_runbook(runbook_id), catalogue.load(), params)
    step = next(step for step in steps if step.id == step_id)
    do, _undo = rendered(step.kind.id, step.params, FakeMachine())
    (write,) = (o for o in do if isinstance(o, WriteFile))
    assert write.content is not None
    return write.content


def run(*argv: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, input=text, capture_output=True, text=True, timeout=30, check=False)


@pytest.fixture
def sshd() -> Script:
    """Run sshd with its /run/sshd, which a machine without the service does not have."""
    rig("mount namespace", "not root" if os.geteuid() else None)
    unshare, shell, server = program("unshare"), program("sh"), program("sshd")

    def script(arguments: str) -> subprocess.CompletedProcess[str]:
        ready = "mount -t tmpfs tmpfs /run && mkdir -m 0755 /run/sshd"
        return run(unshare, "--mount", "--", shell, "-euc", f"{ready}; exec {server} {arguments}")

    return script


@pytest.mark.parametrize("runbook_id", ["RB-SSH-001", "RB-LOGIN-001"])
def test_sshd_accepts_the_drop_in_and_the_first_value_wins(
    runbook_id: str, tmp_path: Path, sshd: Script
) -> None:
    key = tmp_path / "key"
    run(program("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(key))
    (tmp_path / "00-reconciler.conf").write_bytes(content(runbook_id, "write-settings"))
    (tmp_path / "10-drift.conf").write_text(
        "PermitRootLogin yes\nPasswordAuthentication yes\nCiphers aes128-ctr\nMaxAuthTries 6\n"
    )
    main = tmp_path / "sshd_config"
    main.write_text(f"HostKey {key}\nInclude {tmp_path}/*.conf\n")
    tested = sshd(f"-t -f {main}")
    assert (tested.returncode, tested.stderr) == (0, "")
    dump = sshd(f"-T -f {main}")
    settings = dict(line.split(" ", 1) for line in dump.stdout.splitlines() if " " in line)
    if runbook_id == "RB-SSH-001":
        assert settings["permitrootlogin"] == "no"
        assert settings["passwordauthentication"] == "no"
        assert settings["clientalivecountmax"] == "1"
        assert settings["ciphers"].startswith("chacha20-poly1305@openssh.com,aes256-gcm")
    else:
        assert settings["maxauthtries"] == "3"
        assert settings["persourcemaxstartups"] == "2"


def test_ssh_keyscan_says_no_when_nobody_answers() -> None:
    (wait,), _undo = rendered("wait.ssh", {"port": 1})
    assert isinstance(wait, WaitUntil)
    assert isinstance(wait.probe, Command)
    assert run(program("ssh-keyscan"), *wait.probe.argv[1:]).returncode != 0


@pytest.fixture
def nft(tmp_path: Path) -> Script:
    """Run a script of nft commands in a network of its own; never in this machine's."""
    rig("network namespace", "not root" if os.geteuid() else None)
    unshare, shell = program("unshare"), program("sh")
    program("nft")

    def script(text: str) -> subprocess.CompletedProcess[str]:
        return run(unshare, "--net", "--", shell, "-euc", f"cd {tmp_path}\n{text}")

    works = script("nft list ruleset").returncode == 0
    rig("network namespace", None if works else "refused, or no nf_tables in this kernel")
    return script


def test_nft_accepts_the_rule_set_and_lets_in_the_declared_ports(
    nft: Script, tmp_path: Path
) -> None:
    (tmp_path / "new.nft").write_text(ruleset(("tcp/22", "tcp/443", "udp/123")))
    done = nft("nft -c -f new.nft; nft list ruleset; nft -f new.nft; nft -s list ruleset")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("table inet filter") == 1
    for line in ("tcp dport 22 accept", "tcp dport 443 accept", "udp dport 123 accept"):
        assert line in done.stdout
    assert "hook input priority filter; policy drop;" in done.stdout


def test_a_rule_set_that_was_listed_can_be_loaded_again_and_is_the_same(
    nft: Script, tmp_path: Path
) -> None:
    (tmp_path / "old.nft").write_text(
        """
        flush ruleset
        table ip nat {
          chain post {
            type nat hook postrouting priority srcnat; policy accept;
            oifname "wan0" counter masquerade comment "clinic"
          }
        }
        table inet filter {
          set banned { type ipv4_addr; flags timeout; }
          chain input {
            type filter hook input priority 0; policy accept;
            ip saddr @banned drop
            tcp dport { 22, 8443 } ct state new limit rate 5/minute accept
          }
        }
        """
    )
    (tmp_path / "new.nft").write_text(ruleset(("tcp/22",)))
    done = nft(
        "nft -f old.nft; nft --stateless list ruleset > listed\n"
        "nft -f new.nft; (echo flush ruleset; cat listed) > before.nft\n"
        "nft -f before.nft; nft --stateless list ruleset | diff - listed && echo same"
    )
    assert (done.stdout, done.returncode) == ("same\n", 0), done.stderr


def test_a_rule_set_that_does_not_load_changes_nothing(nft: Script, tmp_path: Path) -> None:
    (tmp_path / "good.nft").write_text(ruleset(("tcp/22",)))
    (tmp_path / "bad.nft").write_text(ruleset(("tcp/22",)) + "table inet x { nonsense }\n")
    done = nft("nft -f good.nft; ! nft -c -f bad.nft; ! nft -f bad.nft; nft list ruleset")
    assert done.returncode == 0
    assert "tcp dport 22 accept" in done.stdout


def test_systemd_reads_the_journal_drop_in(tmp_path: Path) -> None:
    analyze = program("systemd-analyze")
    folder = tmp_path / "etc/systemd/journald.conf.d"
    folder.mkdir(parents=True)
    (folder / "99-drift.conf").write_text("[Journal]\nStorage=volatile\n")
    (folder / "zz-reconciler.conf").write_bytes(content("RB-LOG-001", "write-settings"))
    shown = run(analyze, f"--root={tmp_path}", "cat-config", "systemd/journald.conf")
    storage = [line for line in shown.stdout.splitlines() if line.startswith("Storage=")]
    assert storage == ["Storage=volatile", "Storage=persistent"]
