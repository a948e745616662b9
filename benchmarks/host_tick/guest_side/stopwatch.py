"""Runs inside the guest: every row in turn, and what it cost.

Reads a plan from stdin and writes samples to stdout, both JSON. Standard library only: it is run
by the guest's own interpreter.

A ``cold`` row is a program, from exec to exit; its CPU is that of all its descendants, also of
those that outlived their parents. A ``resident`` row is a service that was started before: asking
it costs what its control group has used meanwhile. ``daemons`` is what PID 1, the bus and the
journal used, which a tool that starts many processes otherwise hides.
"""

import ctypes
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

Sample = dict[str, float]
Row = dict[str, Any]

GROUPS = Path("/sys/fs/cgroup/unified")
if not GROUPS.is_dir():
    GROUPS = Path("/sys/fs/cgroup")
DAEMONS = ("init.scope", "system.slice/dbus.service", "system.slice/systemd-journald.service")
PR_SET_CHILD_SUBREAPER = 36
ENV = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin", "LANG": "C.UTF-8", "HOME": "/root"}
TIMEOUT_S = 180


def group_ms(group: str) -> float:
    """CPU that a control group has used so far."""
    for line in (GROUPS / group / "cpu.stat").read_text().splitlines():
        name, _, value = line.partition(" ")
        if name == "usage_usec":
            return int(value) / 1000
    raise RuntimeError(f"{group} does not say usage_usec")


def daemons_ms() -> float:
    """CPU that the system's own daemons have used so far."""
    return sum(group_ms(group) for group in DAEMONS)


def run_cold(row: Row) -> tuple[Sample, str]:
    """Run a program to its end."""
    with tempfile.TemporaryFile() as output:
        daemons, start = daemons_ms(), time.monotonic()
        child = subprocess.Popen(
            row["argv"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=ENV | row.get("env", {}),
            cwd="/share/bench",
        )
        cpu, code = reap(child.pid)
        child.returncode = code
        wall = time.monotonic() - start
        output.seek(0)
        said = output.read().decode(errors="replace")
    if code not in row["exits"]:
        raise RuntimeError(f"{row['argv']}: exit {code}\n{said[-2000:]}")
    cost = {"cpu_ms": cpu * 1000, "wall_ms": wall * 1000, "daemons_ms": daemons_ms() - daemons}
    return cost, said


def reap(pid: int) -> tuple[float, int]:
    """Wait for a child and everything it left behind; CPU seconds of all, and its exit code."""
    cpu, code = 0.0, -1
    while True:
        try:
            ended, status, used = os.wait4(-1, 0)
        except ChildProcessError:
            return cpu, code
        cpu += used.ru_utime + used.ru_stime
        if ended == pid:
            code = os.waitstatus_to_exitcode(status)


def run_resident(row: Row) -> tuple[Sample, str]:
    """Ask a service several times; the cost of one answer."""
    group = f"system.slice/{row['unit']}"
    times = row["times"]
    daemons, cpu, start = daemons_ms(), group_ms(group), time.monotonic()
    said = ""
    for _ in range(times):
        said = ask(row["address"])
    wall = time.monotonic() - start
    cost = {
        "cpu_ms": (group_ms(group) - cpu) / times,
        "wall_ms": wall * 1000 / times,
        "daemons_ms": (daemons_ms() - daemons) / times,
    }
    return cost, said


def ask(address: str) -> str:
    """One answer, over HTTP or a Unix socket that closes after it."""
    if address.startswith("http:"):
        request = urllib.request.Request(address, headers={"Accept": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as drifts:
            return drifts.read().decode()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(TIMEOUT_S)
        connection.connect(address)
        parts = iter(lambda: connection.recv(65536), b"")
        return b"".join(parts).decode()


def peak_kib(row: Row) -> int:
    """Largest resident set of any one process of a cold row, or of a resident row's main process.

    GNU time starts the program from a small process: a child starts out with its parent's peak.
    """
    if row["kind"] == "resident":
        show = ["systemctl", "show", "--value", "--property=MainPID", row["unit"]]
        pid = subprocess.run(show, check=True, capture_output=True, text=True).stdout.strip()
        status = Path(f"/proc/{pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0])
    with tempfile.NamedTemporaryFile() as report:
        timed = ["time", "--quiet", "--format=%M", f"--output={report.name}", *row["argv"]]
        env = ENV | row.get("env", {})
        quiet = subprocess.DEVNULL
        subprocess.run(
            timed, env=env, cwd="/share/bench", stdin=quiet, stdout=quiet, stderr=quiet, check=False
        )
        return int(Path(report.name).read_text().split()[-1])


def main() -> None:
    """Carry out the plan."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    plan = json.load(sys.stdin)
    rows: dict[str, Row] = plan["rows"]
    found: dict[str, Any] = {name: {"samples": [], "said": []} for name in rows}
    for turn in range(plan["warmups"] + plan["rounds"]):
        for name, row in rows.items():
            run = run_cold if row["kind"] == "cold" else run_resident
            sample, said = run(row)
            found[name]["said"].append(said)
            if turn >= plan["warmups"]:
                found[name]["samples"].append(sample)
    for name, row in rows.items():
        found[name]["peak_kib"] = peak_kib(row)
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
