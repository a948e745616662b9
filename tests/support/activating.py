"""Operations on systems, carried out in the NixOS guest by the real target."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.model.system_operation import (
    ArmReturn,
    AwaitHealth,
    CheckSwitch,
    DisarmReturn,
    OnSystem,
    Realise,
    SetProfile,
    SwitchSystem,
)
from tests.support.commands import host
from tests.support.nixos_guest import CACHE, NixosGuest, NixosSite

_PRELUDE = """
import json
from reconciler.model.answer import Answer
from reconciler.model.operation import Run
from reconciler.model.system_operation import *
from reconciler.targets.linux.nixos.access import SystemAccess
from reconciler.targets.linux.target import LinuxTarget
given = json.loads({given!r})
topics = given["topics"]
access = given["access"]
access["reach"] = access["reach"] and tuple(access["reach"])
for name in ("caches", "public_keys"):
    access[name] = tuple(access[name])
target = LinuxTarget(
    internal=lambda topic: Answer("ok", topics[topic]) if topic in topics else Answer("absent"),
    system=SystemAccess(**access) if given["settings"] else None,
)
"""


@dataclass(slots=True)
class Activator:
    """Carries operations out in a guest, each time in a new process.

    Attributes:
        trusted: What the engine says is the system of this host; ``None`` for nothing.
        access: Settings besides cache and key.
        ways: The host's access path.
        settings: Whether the settings have a section for systems.
        before: Python that is run in the guest first.
    """

    guest: NixosGuest
    site: NixosSite
    trusted: dict[str, Any] | None = None
    access: dict[str, Any] = field(default_factory=dict)
    ways: Sequence[str] = ("unit:ssh.service", "port:tcp/22")
    settings: bool = True
    before: str = ""

    def trust(self, path: str) -> str:
        """Name a system of the site's store as the trusted one."""
        self.trusted = {
            "path": path,
            "nar_sha256": self.nar_sha256(path),
            "closure_sha256": self.closure_sha256(path),
        }
        return path

    def nar_sha256(self, path: str) -> str:
        store = self.site.store
        hashed = store.run("nix-store", "--query", "--hash", path)
        return store.run("nix", "hash", "convert", "--to", "base16", hashed).strip()

    def closure_sha256(self, path: str) -> str:
        """As the release says it, by stock tools."""
        script = (
            "nix-store -qR $1 | LC_ALL=C sort | while read p; do"
            ' printf "%s %s\\n" "$p" "$(nix-store -q --hash $p)"; done | sha256sum'
        )
        env = {**self.site.store.env}
        return host("sh", "-c", script, "-", path, env=env, timeout=60).split()[0]

    def do(self, *operations: OnSystem) -> list[dict[str, Any]]:
        """Carry operations out until one is not; what became of each."""
        code = _PRELUDE.format(given=json.dumps(self._given()))
        code += f"""
{self.before}
results = []
for operation in ({"".join(f"{operation!r}, " for operation in operations)}):
    result = target.carry_out(operation)
    results.append({{"ok": result.ok, "reason": result.reason}})
    if not result.ok:
        break
print(json.dumps(results))
"""
        done = self.guest.run("python3", "-", input=code, timeout=120)
        found: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
        return found

    def one(self, operation: OnSystem) -> str:
        """Carry one out; why it failed, or an empty text."""
        [result] = self.do(operation)
        assert result["ok"] == (not result["reason"])
        return str(result["reason"])

    def order(self) -> dict[str, Any] | None:
        """What the guest remembers of an activation under way."""
        path = "/var/lib/reconciler/activation/order.json"
        done = self.guest.run("cat", path, check=False)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def units(self) -> list[str]:
        """Our transient units that systemd knows."""
        listed = self.guest.run("systemctl", "list-units", "--all", "--plain", "--no-legend")
        return [
            line.split()[0] for line in listed.stdout.splitlines() if line.startswith("reconciler-")
        ]

    def _given(self) -> dict[str, Any]:
        access = {"caches": [f"file://{CACHE}"], "public_keys": [self.site.public_key]}
        quick = {"watchdog_s": 600, "settle_s": 8, "steady_s": 1, "reach": None}
        topics: dict[str, Any] = {"host": {"access_path": list(self.ways)}}
        if self.trusted is not None:
            topics["system"] = self.trusted
        return {"topics": topics, "access": access | quick | self.access, "settings": self.settings}


def steps_to(path: str, previous: str, generation: int) -> tuple[OnSystem, ...]:
    """The operations of ``system.activate``."""
    return (
        Realise(path),
        CheckSwitch(path),
        ArmReturn(path, previous, generation),
        SwitchSystem(path, "test"),
        AwaitHealth(path),
        SetProfile(path),
        SwitchSystem(path, "boot"),
        DisarmReturn(),
    )
