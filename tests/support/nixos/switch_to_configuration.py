#!/usr/bin/python3 -I
"""Switch the running machine to this system, in the order and with the results of the real one.

    switch-to-configuration switch | boot | test | dry-activate | check

What callers may rely on, as with NixOS: the boot entry is written before anything is activated;
failed units of before are forgotten (`reset-failed`). The status is 0 when all went well, 1 when
nothing was done, 11 when another switch is under way, 2 when the activation script failed, 4 when
a unit failed or could not be started (the machine runs the new system in both cases), and 100 when
only a reboot can finish it.
"""

import fcntl
import os
import re
import subprocess
import sys
import syslog
from dataclasses import dataclass, field
from pathlib import Path

OUT = Path("@out@")
CURRENT = Path("/run/current-system")
ETC_UNITS = Path("/etc/systemd/system")
NEW_UNITS = OUT / "etc/systemd/system"
STATE = Path("/run/nixos")
ACTIONS = ("switch", "boot", "test", "dry-activate", "check")
NEVER = re.compile(r"(sysinit|basic|multi-user|graphical)\.target|.*\.(path|slice)")
YES = frozenset({"1", "yes", "true", "on"})


def systemctl(*argv: str) -> subprocess.CompletedProcess[str]:
    """Ask the service manager, whatever comes back."""
    command = ["/usr/bin/systemctl", "--no-pager", *argv]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)


def units() -> dict[str, dict[str, str]]:
    """Every loaded unit and its state."""
    names = "Id,ActiveState,SubState,ExecMainStatus,RefuseManualStart"
    text = systemctl("show", f"--property={names}", "*").stdout
    blocks = (dict(line.split("=", 1) for line in b.splitlines()) for b in text.split("\n\n"))
    return {block["Id"]: block for block in blocks if "Id" in block}


def failed() -> list[str]:
    """Units that failed, or that systemd starts again and again."""
    return sorted(
        name
        for name, unit in units().items()
        if unit["ActiveState"] == "failed"
        or (unit["SubState"] == "auto-restart" and unit.get("ExecMainStatus", "0") != "0")
    )


def unit_file(root: Path, name: str) -> Path:
    """The file of a unit, or of the template that it is an instance of."""
    exact, template = root / name, root / re.sub(r"@.*(\.\w+)$", r"@\1", name)
    return exact if exact.exists() or not template.exists() else template


def text(root: Path, name: str) -> str:
    """What a unit says: its file and the one drop-in that NixOS makes."""
    parts = (unit_file(root, name), root / f"{name}.d/overrides.conf")
    return "\n".join(part.read_text() for part in parts if part.is_file())


def says(content: str, option: str, default: bool) -> bool:
    """A switch of a unit file; the last one counts."""
    found = re.findall(rf"^{option}=(\S+)$", content, re.MULTILINE)
    return found[-1] in YES if found else default


@dataclass
class Plan:
    """Which units to touch, and how."""

    stop: list[str] = field(default_factory=list)
    start: list[str] = field(default_factory=list)
    restart: list[str] = field(default_factory=list)
    reload: list[str] = field(default_factory=list)
    skip: list[str] = field(default_factory=list)

    def changed(self, name: str, content: str) -> None:
        """A unit that runs and says something else now."""
        if NEVER.fullmatch(name):
            return
        if name.endswith(".mount") or says(content, "X-ReloadIfChanged", False):
            self.reload.append(name)
        elif (
            not says(content, "X-RestartIfChanged", True)
            or says(content, "RefuseManualStop", False)
            or says(content, "X-OnlyManualStart", False)
        ):
            self.skip.append(name)
        elif says(content, "X-StopIfChanged", True):
            self.stop.append(name)
            self.start.append(name)
        else:
            self.restart.append(name)

    def tell(self, would: str) -> None:
        """What happens, as a person reads it."""
        for words, names in (
            (f"{would}stopping the following units: ", self.stop),
            (f"NOT {would}restarting the following changed units: ", self.skip),
            (f"{would}reloading the following units: ", self.reload),
            (f"{would}restarting the following units: ", self.restart),
            (f"{would}starting the following units: ", self.start),
        ):
            if names:
                sys.stderr.write(f"{words}{', '.join(sorted(names))}\n")


def plan() -> Plan:
    """Compare what runs with what the new system declares."""
    made = Plan()
    for name, unit in units().items():
        if unit["ActiveState"] not in {"active", "activating"}:
            continue
        before, after = unit_file(ETC_UNITS, name), unit_file(NEW_UNITS, name)
        by_hand = says(text(NEW_UNITS, name), "X-OnlyManualStart", False)
        if name.endswith(".target") and unit["RefuseManualStart"] == "no" and not by_hand:
            made.start.append(name)  # takes up what it wants now
        if before.exists() and not after.exists():
            if says(text(ETC_UNITS, name), "X-StopOnRemoval", True):
                made.stop.append(name)
        elif after.exists() and text(ETC_UNITS, name) != text(NEW_UNITS, name):
            made.changed(name, text(NEW_UNITS, name))
    return made


def activate(made: Plan) -> int:
    """Stop, activate, and start again.

    Returns:
        The status of the whole.
    """
    status = 0
    if made.stop:
        systemctl("stop", "--", *made.stop)
    sys.stderr.write("activating the configuration...\n")
    if subprocess.run([OUT / "activate"], check=False).returncode != 0:
        status = 2
    systemctl("reset-failed")
    if systemctl("daemon-reload").returncode != 0:
        status = 3
    systemctl("restart", "sysinit-reactivation.target")
    for verb, names in (("reload", made.reload), ("restart", made.restart), ("start", made.start)):
        if names and systemctl(verb, "--", *names).returncode != 0:
            status = 4
    broken = failed()
    if broken:
        sys.stderr.write(f"warning: the following units failed: {', '.join(broken)}\n")
        status = 4
    return status


def only_one() -> None:
    """Refuse to run beside another switch; the lock goes with this process."""
    STATE.mkdir(mode=0o755, parents=True, exist_ok=True)
    lock = os.open(STATE / "switch-to-configuration.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as busy:
        sys.stderr.write("Could not acquire lock\n")
        sys.exit(busy.errno)


def check() -> None:
    """What a configuration may forbid before a switch."""
    unchecked = os.environ.get("NIXOS_NO_CHECK") == "1"
    if (OUT / "fails").read_text() == "check" and not unchecked:
        sys.exit("Pre-switch checks failed")


def prepare(action: str) -> None:
    """Everything that may still say no; afterwards the machine changes."""
    if action not in ACTIONS:
        sys.exit(f"Usage: switch-to-configuration [{'|'.join(ACTIONS)}]")
    if not Path("/etc/NIXOS").exists():
        sys.exit("This is not a NixOS installation!")
    only_one()
    check()
    if action == "check":
        sys.exit(0)
    if action in {"switch", "boot"}:
        done = subprocess.run([OUT / "install-boot-loader", OUT], check=False)
        if done.returncode != 0:
            sys.exit("Failed to install bootloader")
        os.sync()
    if action == "boot":
        sys.exit(0)
    version = "init-interface-version"
    if (OUT / version).read_text() != (CURRENT / version).read_text():
        sys.exit(100)


def main(action: str) -> int:
    """One action."""
    prepare(action)
    made = plan()
    if action == "dry-activate":
        made.tell("would be ")
        return 0
    syslog.syslog(f"switching to system configuration {OUT}")
    made.tell("")
    status = activate(made)
    ended = "finished" if status == 0 else f"failed (status {status})"
    syslog.syslog(f"switching to system configuration {OUT}: {ended}")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
