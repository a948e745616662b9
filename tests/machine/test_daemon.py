"""The daemon as a real service of a real systemd: ready, killed, restarted, stopped."""

import time
from collections.abc import Callable

import pytest

from reconciler.errors import ExitCode
from tests.support.clinic import HOME, Clinic

pytestmark = pytest.mark.machine

SERVICE = "reconciler.service"
BRIDGE = "clinic-bridge.service"
PORTAL = "units-running[portal]"

_UNIT = """\
[Unit]
Description=Reconciler
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
WatchdogSec={watchdog_s}
Restart=on-failure
RestartSec=1
TimeoutStopSec=120
ExecStart={program} run --config {home}/reconciler.yaml

[Install]
WantedBy=multi-user.target
"""


def install(clinic: Clinic, watchdog_s: int = 30) -> None:
    settings = clinic.site.made.settings
    text = settings.read_text().replace("interval_s: 300", "interval_s: 5\njitter_s: 0")
    settings.write_text(text)
    program = clinic.guest.run("sh", "-c", "command -v reconciler").stdout.strip()
    unit = _UNIT.format(watchdog_s=watchdog_s, program=program, home=HOME)
    clinic.guest.write(f"/etc/systemd/system/{SERVICE}", unit)
    clinic.guest.run("systemctl", "daemon-reload")


def start_slowly(clinic: Clinic, unit: str, seconds: int) -> None:
    """From now on the unit takes so long to start, and it does not run."""
    drop_in = f"/etc/systemd/system/{unit}.d/slow.conf"
    clinic.guest.write(drop_in, f"[Service]\nExecStartPre=/bin/sleep {seconds}\n")
    clinic.guest.run("systemctl", "daemon-reload")
    clinic.guest.run("systemctl", "kill", "--signal=KILL", unit)
    clinic.guest.until("systemctl", "is-failed", unit)


def shown(clinic: Clinic, name: str) -> str:
    return clinic.guest.run("systemctl", "show", "--value", "-p", name, SERVICE).stdout.strip()


def until(what: Callable[[], bool], story: str, timeout_s: float = 90) -> None:
    deadline = time.monotonic() + timeout_s
    while not what():
        assert time.monotonic() < deadline, f"not in {timeout_s:g} s: {story}"
        time.sleep(0.1)


def test_start_returns_when_it_is_ready_and_stop_ends_in_order(clinic: Clinic) -> None:
    install(clinic)

    clinic.guest.run("systemctl", "start", SERVICE)

    assert (shown(clinic, "ActiveState"), shown(clinic, "SubState")) == ("active", "running")
    once = ("reconciler", "run", "--once", "--config", f"{HOME}/reconciler.yaml")
    busy = clinic.guest.run(*once, check=False)
    assert busy.returncode == ExitCode.MACHINE, "ready means that it holds the host's lock"
    assert shown(clinic, "MainPID") in busy.stderr
    until(lambda: len(clinic.entries("run")) >= 2, "two runs")

    clinic.guest.run("systemctl", "stop", SERVICE, timeout=120)

    assert (shown(clinic, "Result"), shown(clinic, "ExecMainStatus")) == ("success", "0")
    document = clinic.verify()
    assert document["branches"][0]["open_intents"] in (0, [])
    runs = len(clinic.entries("run"))
    assert clinic.git_log().count("\n") == runs + 1
    assert all(line.startswith("G ") for line in clinic.git_log().splitlines())


def test_without_its_key_the_start_fails_with_the_code_of_evidence(clinic: Clinic) -> None:
    install(clinic)
    (clinic.site.directory / "keys/appliance").rename(clinic.site.directory / "keys/away")

    started = clinic.guest.run("systemctl", "start", SERVICE, check=False)

    assert started.returncode != 0
    assert shown(clinic, "ExecMainStatus") == str(int(ExitCode.EVIDENCE))
    clinic.guest.run("systemctl", "stop", SERVICE)


def test_killed_in_an_action_it_is_started_again_and_closes_what_was_open(clinic: Clinic) -> None:
    install(clinic)
    clinic.guest.run("systemctl", "start", SERVICE)
    until(lambda: len(clinic.entries("run")) >= 1, "a first run")
    killed = shown(clinic, "MainPID")
    start_slowly(clinic, BRIDGE, 8)
    until(lambda: len(clinic.entries("intent")) == 1, "an intent")
    assert clinic.entries("outcome") == []

    clinic.guest.run("systemctl", "kill", "--kill-whom=main", "--signal=KILL", SERVICE)

    until(lambda: len(clinic.entries("outcome")) == 1, "the intent is closed")
    (outcome,) = clinic.entries("outcome")
    assert (outcome["result"], outcome["rules"]) == ("interrupted", [PORTAL])
    assert shown(clinic, "NRestarts") == "1"
    assert shown(clinic, "MainPID") != killed
    clinic.guest.until("systemctl", "is-active", BRIDGE)

    def heals() -> bool:
        newest = clinic.entries("run")[-1]
        return {f["rule"]: f["status"] for f in newest["findings"]}[PORTAL] == "pass"

    until(heals, "the portal runs and a run has seen it")
    clinic.guest.run("systemctl", "stop", SERVICE, timeout=120)
    assert shown(clinic, "ExecMainStatus") == "0"
    assert clinic.verify()["branches"][0]["open_intents"] in (0, [])
    assert len(clinic.entries("intent")) == 1


def test_an_action_may_take_longer_than_the_watchdog(clinic: Clinic) -> None:
    install(clinic, watchdog_s=15)
    clinic.guest.run("systemctl", "start", SERVICE)
    until(lambda: len(clinic.entries("run")) >= 1, "a first run")
    start_slowly(clinic, BRIDGE, 20)

    until(lambda: len(clinic.entries("outcome")) == 1, "an outcome")

    (outcome,) = clinic.entries("outcome")
    assert outcome["result"] == "healed", outcome
    assert shown(clinic, "NRestarts") == "0"
    clinic.guest.run("systemctl", "stop", SERVICE, timeout=120)
    assert shown(clinic, "ExecMainStatus") == "0"


def test_ticks_leave_no_descriptors_and_no_threads_behind(clinic: Clinic) -> None:
    install(clinic)
    clinic.guest.run("systemctl", "start", SERVICE)
    pid = shown(clinic, "MainPID")

    def held() -> tuple[int, int]:
        count = 'ls "/proc/$0/fd" | wc -l; ls "/proc/$0/task" | wc -l'
        found = clinic.guest.run("sh", "-c", count, pid).stdout.split()
        return int(found[0]), int(found[1])

    until(lambda: len(clinic.entries("run")) >= 2, "two runs")
    time.sleep(2)
    early = held()
    until(lambda: len(clinic.entries("run")) >= 6, "six runs")
    time.sleep(2)

    assert held() <= (early[0] + 2, early[1] + 2), f"was {early}"
    clinic.guest.run("systemctl", "stop", SERVICE, timeout=120)
