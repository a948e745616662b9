"""One look at all that a NixOS host declares: 300 units, 200 sysctls, 40 users, 1,000 files."""

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.declared_goss import broken, gossfile
from benchmarks.host_tick.rig import peers_layer
from benchmarks.rounds import Sample, in_turn
from benchmarks.table import Table
from tests.support.guest import Guest, first_booted, require_guest
from tests.support.image import build_image
from tests.support.leftovers import sweep
from tests.support.nix_runtime import NixStore, open_nix
from tests.support.nixos_base import SYSCTL, documented
from tests.support.nixos_guest import NixosGuest, NixosSite, nixos_site
from tests.support.nixos_looking import look
from tests.support.nixos_systems import Etc, System

UNITS, SYSCTLS, USERS, FILES = 300, 200, 40, 1000
TICKS = 20
OURS, COLD = "ours, resident", "ours, first look of a process"
SCRIPT, GOSS = "a shell script", "goss validate"
HERE = Path(__file__).parent
LISTS = "/share/peer"
PEERS = {
    SCRIPT: ("sh", "/share/peer.sh", LISTS),
    GOSS: ("/share/goss", "--gossfile", "/share/goss.json", "validate", "--format", "json"),
}

_OURS = """
import json, resource, sys, time
start = resource.getrusage(resource.RUSAGE_SELF)
from pathlib import Path
from reconciler.checks.catalogue import load
from reconciler.model.answer import Answer
from reconciler.model.expected import PLACE, parse
from reconciler.model.parameter import bind
from reconciler.observe.driver import Request, observe
from reconciler.targets.linux.target import LinuxTarget

def cpu_ms():
    used = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used) * 1000

order = json.load(sys.stdin)
document = parse(Path(order["system"], PLACE).read_bytes())
known = {"now": {"unix_s": 0}, "system": {"path": order["system"], "before": []},
         "expectations": {"system": order["system"], "document": document}}
target = LinuxTarget(internal=lambda topic: Answer("ok", known[topic]))
given = {"LNX-EXP-001": {"allow": ("run-*.service",)}, "LNX-EXP-011": {"skip": ("/opt", "/share")}}
checks = [c for name, c in load().items() if name.startswith("LNX-EXP")]
requests = [Request(c, bind(dict(c.params), given.get(c.id, {}))[0]) for c in checks]
observe(requests, target, deadline_s=20, salt=b"x")
cold = cpu_ms()
wall, before = time.monotonic(), cpu_ms()
for _ in range(order["ticks"]):
    seen = observe(requests, target, deadline_s=20, salt=b"x")
each = {"cpu_ms": (cpu_ms() - before) / order["ticks"],
        "wall_ms": (time.monotonic() - wall) * 1000 / order["ticks"]}
assert len(seen) == 16
print(json.dumps({"resident": each, "cold": {"cpu_ms": cold}}))
"""
_PEER = """
import json, resource, subprocess, sys, time
wall = time.monotonic()
done = subprocess.run(sys.argv[1:], capture_output=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
assert done.returncode in (0, 1), done
print(json.dumps({"cpu_ms": (used.ru_utime + used.ru_stime) * 1000,
                  "wall_ms": (time.monotonic() - wall) * 1000, "said": done.stdout.decode()}))
"""


def measure(rounds: int) -> list[Table]:
    """Ours and peers on the same guest; all must find the same three seeded drifts first."""
    lacking = require_guest()
    if lacking:
        raise RuntimeError(f"declared_tick needs the systemd guest: {lacking}")
    sweep()
    with TemporaryDirectory() as name, first_booted(build_image()) as image:
        store = NixStore(open_nix(), Path(name) / "nix")
        with nixos_site(image, store) as site, site.boot("bench") as guest:
            guest.wait_for_clock()
            shutil.copy(peers_layer(image) / "usr/bin/goss", guest.share / "goss")
            taken = _measured(site, guest, rounds)
    return [
        Table(
            name="declared_tick",
            title=f"All 16 checks of expectations on a NixOS guest ({UNITS} units, {SYSCTLS} "
            f"kernel parameters, {USERS} users, {FILES:,} files in /etc); {rounds} rounds in turn.",
            metrics={"cpu_ms": "CPU ms", "wall_ms": "wall ms"},
            rows=taken,
            base=OURS,
            notes=(
                "Before it is measured, all find a sysctl, a unit and a user that were changed.",
                "The script looks at less: no drop-ins, mounts, keys, modules, PAM, timers of its "
                "own, contents of copies; and its lists were made by hand from the same machine.",
                "goss 0.4.9 has the document in its own words: units, parameters, accounts, groups "
                "and files; two commands for units and accounts that nobody declared; nothing "
                "else. It starts processes for each unit: without units it takes 380 CPU ms.",
                "CPU of the process tree; PID 1 works for all of them besides. The first look of a "
                "process imports everything and walks all file systems once.",
            ),
        )
    ]


def _measured(
    site: NixosSite, guest: NixosGuest, rounds: int
) -> Mapping[str, Mapping[str, list[float]]]:
    path = site.release(_full(site.base, guest))
    guest.fetch(path, site.public_key)
    guest.switch(path, "test", check=False)
    _lists(guest, path)
    _compare(guest, path)
    cold: list[Sample] = []

    def ours() -> Sample:
        order = json.dumps({"system": path, "ticks": TICKS})
        said = json.loads(guest.run("python3", "-c", _OURS, input=order, timeout=120).stdout)
        cold.append(said["cold"])
        return dict(said["resident"])

    rows = {
        OURS: ours,
        COLD: lambda: cold[-1],
        SCRIPT: lambda: _numbers(_peer(guest, SCRIPT)),
        GOSS: lambda: _numbers(_peer(guest, GOSS)),
    }
    return in_turn(rows, rounds)


def _full(base: System, guest: Guest) -> System:
    """The clinic's system with as much as a real host declares."""
    etc = {f"b/{n}": Etc(f"{n}\n") for n in range(FILES)}
    text = base.etc[SYSCTL].text + "".join(
        f"{name} = {value}\n" for name, value in _parameters(guest)
    )
    many = {f"bench-{n}.service": _service(n) for n in range(UNITS - len(base.units))}
    users = [
        {"name": f"staff{n}", "x": "x", "uid": 2000 + n, "gid": 100, "gecos": "", "home": "/",
         "shell": "/usr/sbin/nologin"}
        for n in range(max(0, USERS - len(base.users)))
    ]  # fmt: skip
    wants = {**base.wants, "multi-user.target.wants": (
        *base.wants.get("multi-user.target.wants", ()), *many)}  # fmt: skip
    system = replace(
        base,
        label="26.05.bench",
        etc={**base.etc, **etc, SYSCTL: Etc(text)},
        units={**base.units, **many},
        wants=wants,
        users=(*base.users, *users),
    )
    system = documented(system)
    expectations = dict(system.documents["expectations.json"])
    units: dict[str, Any] = dict(expectations["units"])
    units["run"] = sorted({*units["run"], *many})
    units["oneshot"] = sorted(set(units["oneshot"]) - set(many))
    documents = {**system.documents, "expectations.json": {**expectations, "units": units}}
    return replace(system, documents=documents)


def _service(number: int) -> str:
    return (
        f"[Unit]\nDescription=Service {number}\n[Service]\nType=oneshot\nRemainAfterExit=yes\n"
        "ExecStart=/bin/true\n"
    )


def _parameters(guest: Guest) -> list[tuple[str, str]]:
    """Whole-number parameters of the network, as they are: declaring them changes nothing."""
    said = guest.run("sh", "-c", "sysctl -a 2> /dev/null").stdout
    found = re.findall(r"^(net\.[a-z0-9_.]+) = ([0-9]+)$", said, re.MULTILINE)
    return [(name, value) for name, value in found if "redirects" not in name][:SYSCTLS]


def _lists(guest: Guest, path: str) -> None:
    """What the peers compare with, taken from the document and the machine as it should be."""
    document = json.loads(guest.read(f"{path}/reconciler/expectations.json"))
    directory = guest.share / "peer"
    directory.mkdir()
    (guest.share / "peer.sh").write_text((HERE / "declared_peer.sh").read_text())
    (directory / "nothing").touch()
    (directory / "units").write_text("\n".join(document["units"]["run"]))
    (directory / "sysctls").write_text("\n".join(document["sysctl"]))
    script = (HERE / "declared_peer.sh").read_text()
    make = re.sub(r"\| same (\S+)", r"> \1", script).replace("> nothing", "> /dev/null")
    guest.run("sh", "-c", make, "sh", LISTS, check=False)
    (guest.share / "goss.json").write_text(gossfile(document))


def _compare(guest: NixosGuest, path: str) -> None:
    """All find what was changed, and the peers nothing before."""
    clean = _peer(guest, SCRIPT)["said"], broken(_peer(guest, GOSS)["said"])
    parameter = "net.ipv4.tcp_syncookies"
    unit = "/run/systemd/system/evil.service"
    guest.write(unit, "[Service]\nExecStart=/bin/true\n")
    guest.run("sh", "-ec", f"sysctl -qw {parameter}=0; useradd -N mallory")
    seen = look(guest, path, "LNX-EXP-001", "LNX-EXP-003", "LNX-EXP-004")
    names = [name for one in seen.values() for listed in one.drift.values() for name in listed]
    said, results = _peer(guest, SCRIPT)["said"], broken(_peer(guest, GOSS)["said"])
    guest.run("sh", "-ec", f"sysctl -qw {parameter}=1; userdel mallory; rm {unit}")
    if any(clean) or sorted(names) != ["evil.service", "mallory", f"{parameter}=0"]:
        raise RuntimeError(f"the rows disagree before they are measured: {clean} {names}")
    if said.count("drift:") != 3:
        raise RuntimeError(f"the script found something else: {said}")
    if results != {parameter, "undeclared units", "accounts"}:
        raise RuntimeError(f"goss found something else: {sorted(results)}")


def _peer(guest: Guest, name: str) -> Mapping[str, Any]:
    done = guest.run("python3", "-c", _PEER, *PEERS[name], timeout=120)
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def _numbers(said: Mapping[str, Any]) -> Sample:
    return {"cpu_ms": float(said["cpu_ms"]), "wall_ms": float(said["wall_ms"])}
