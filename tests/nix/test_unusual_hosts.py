"""Hosts that are unusual and legal: none of it is drift on a machine that is as declared.

What a person may write in a NixOS configuration, and what the machine then says of itself, are not
always spelled alike. A setting of the SSH server is compared with what a real sshd prints.
"""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from reconciler.checks.catalogue import load
from reconciler.checks.parsing import declared
from reconciler.model.answer import Answer, Answers
from reconciler.model.expected import parse
from reconciler.model.probe import Command, Probe, ReadFile, ReadGlob
from tests.support.git_servers import ssh_server
from tests.support.nix_modules import MODULES, evaluate
from tests.support.nix_runtime import NixStore
from tests.support.rigs import rig

SYSTEM = "/nix/store/00000000000000000000000000000000-nixos-system-front-desk-26.05"


@pytest.fixture(scope="module")
def hosts(nix: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    store = NixStore(nix, tmp_path_factory.mktemp("unusual"))
    return evaluate(store, f"import {MODULES}/unusual.nix")


def test_every_legal_value_fits_the_strict_form(hosts: Any) -> None:
    """One value that does not fit refuses the whole document, and then nothing is known."""
    document = hosts["whole"] | {"system": SYSTEM}

    assert parse(json.dumps(document).encode())["host"] == "front_desk"
    options = {mount["path"]: mount["options"] for mount in document["mounts"]}
    assert options["/tmp"] == ["nosuid", "size=2G"]


@pytest.mark.parametrize(
    ("which", "address", "ports"),
    [
        (0, "192.0.2.7", [2200]),
        (1, "2001:db8::7", [22]),
        (2, "2001:db8::7", [2222]),
        (3, "fe80::1", [2022, 22]),
        (4, None, [22]),
        (5, None, [2022, 22]),
        (6, None, [22]),
    ],
)
def test_where_sshd_listens(hosts: Any, which: int, address: str | None, ports: list[int]) -> None:
    listens = hosts["listen"][which]

    assert {socket["address"] for socket in listens} == {address}
    assert [socket["port"] for socket in listens] == ports


def test_nothing_listens_for_a_socket_that_nothing_starts(hosts: Any) -> None:
    assert [(s["address"], s["port"]) for s in hosts["sockets"]] == [("2001:db8::1", 9003)]


def test_a_tunnel_is_declared_whoever_makes_it(hosts: Any) -> None:
    assert [s["port"] for s in hosts["tunnels"]] == [51821, 51824, 51825]


def test_ports_of_rules_in_text_can_be_declared(hosts: Any) -> None:
    assert "tcp/8443" in hosts["open"]


def test_swap_is_what_is_swapped_to(hosts: Any) -> None:
    """With a random key that is a mapping, and the declared device is never in /proc/swaps."""
    assert hosts["swap"] == [
        {"device": "/dev/mapper/dev-disk-byx2dpartuuid-12x2dab", "encrypted": True},
        {"device": "/dev/sda3", "encrypted": False},
        {"device": "/var/swap", "encrypted": True},
    ]


def test_swap_on_a_volume_of_an_encrypted_disk_can_be_declared(hosts: Any) -> None:
    assert hosts["lvm"] == [1, 0]


def test_a_view_of_another_file_system_needs_no_encryption_of_its_own(hosts: Any) -> None:
    assert hosts["views"] == 0


def test_a_wrapper_is_called_by_its_program(hosts: Any) -> None:
    assert "sendmail" in {wrapper["name"] for wrapper in hosts["wrappers"]}
    assert "mta" not in {wrapper["name"] for wrapper in hosts["wrappers"]}
    assert hosts["without"] == []


def test_a_timer_that_is_unloaded_when_it_is_done_need_not_be_there(hosts: Any) -> None:
    assert "daily.timer" in hosts["timers"]
    assert "once.timer" not in hosts["timers"]


def test_backups_of_borg_and_restic_that_a_timer_starts(hosts: Any) -> None:
    assert {(b["job"], b["unit"], b["timer"]) for b in hosts["backups"]} == {
        ("files", "borgbackup-job-files.service", "borgbackup-job-files.timer"),
        ("nightly", "restic-backups-nightly.service", "restic-backups-nightly.timer"),
    }


def test_comments_and_settings_of_a_table_are_no_jobs(hosts: Any) -> None:
    assert hosts["cron"] == ["*/5 * * * * root first", "@daily root second"]


def test_a_stack_that_takes_in_another_has_its_modules(hosts: Any) -> None:
    """As display managers of NixOS have it."""
    assert hosts["pam"]["sddm"] == hosts["pam"]["login"] == {"faillock": False, "unix": True}
    assert hosts["pam"]["round"] == {"faillock": False, "unix": False}


def test_links_of_an_overlay_name_their_files(hosts: Any) -> None:
    assert (hosts["overlay"]["linked"], hosts["overlay"]["copied"]) == ("-> /run/linked", "file")


def test_sshd_prints_what_was_declared(hosts: Any, tmp_path: Path) -> None:
    """A real sshd reads the settings as NixOS writes them; the check sees no drift."""
    program = shutil.which("sshd", path="/usr/sbin:/usr/bin")
    rig("sshd", None if program else "not installed")
    lines = [f"{name} {_written(name, value)}" for name, value in _given(hosts)]
    with ssh_server(tmp_path / "server"):
        lines += ["Port 22", "AuthorizedKeysFile none", f"HostKey {tmp_path}/server/host"]
        (tmp_path / "sshd_config").write_text("\n".join(lines) + "\n")
        command = [str(program), "-T", "-f", f"{tmp_path}/sshd_config"]
        ran = subprocess.run(command, capture_output=True, text=True, check=True)

    settings = hosts["sshd"]["declared"]

    assert _drift(settings, ran.stdout) == ((), (), ())
    assert settings["logingracetime"] == "3900"
    assert "pubkeyacceptedalgorithms" not in settings, "sshd alone knows what it adds to"
    changed = ran.stdout.replace("logingracetime 3900", "logingracetime 0")
    assert _drift(settings, changed) == ((), ("logingracetime",), ())


def _given(hosts: Any) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in hosts["sshd"]["given"].items() if value is not None]


def _written(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(value) if isinstance(value, list) else str(value)


def _drift(settings: dict[str, str], printed: str) -> tuple[Any, ...]:
    check = load()["LNX-EXP-010"]
    document = {"sshd": {"enabled": True, "ports": [22], "settings": settings}, "reapply": []}
    answers: dict[Probe, Answer] = {
        probe: Answer("absent", reason="not asked") for probe in check.probes({})
    }
    answers[declared.EXPECTATIONS] = Answer("ok", {"system": SYSTEM, "document": document})
    answers[Command(("sshd", "-T"))] = Answer("ok", {"exit": 0, "stdout": printed, "stderr": ""})
    answers[ReadFile("/etc/ssh/sshd_config")] = Answer("ok", "")
    answers[ReadGlob("/etc/ssh/sshd_config.d/*.conf")] = Answer("ok", [])
    seen = check.parse({}, Answers(answers))
    assert isinstance(seen, dict)
    return tuple(seen[name] for name in ("missing", "different", "undeclared"))
