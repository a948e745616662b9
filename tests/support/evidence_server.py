"""An evidence repository on a server, and stock git that pushes to it."""

import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.evidence.source import framed
from reconciler.ledger.remote.init import init_server, templates
from reconciler.ledger.remote.push import Outbox
from reconciler.transport.location import NO_ACCESS, Access, vet
from reconciler.transport.server import Server
from tests.support.forge import Forge
from tests.support.ledger_rig import Rig, git

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class EvidenceServer:
    """A bare repository with our hook, made as an administrator would make it."""

    path: Path

    @property
    def url(self) -> str:
        return f"file://{self.path}"

    def tip(self, ref: str) -> str | None:
        done = git(self.path, "rev-parse", "--verify", "--quiet", ref)
        return done.stdout.strip() or None

    def refs(self) -> str:
        return git(self.path, "for-each-ref").stdout

    def config(self, name: str, value: str) -> None:
        git(self.path, "config", name, value)


def evidence_server(directory: Path, signers: str, name: str = "server.git") -> EvidenceServer:
    """Make one; its hook runs the code of this checkout."""
    file = directory / f"{name}.signers"
    file.write_text(signers)
    program = directory / "reconciler"
    program.write_text(
        f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -P -m reconciler "$@"\n'
    )
    program.chmod(0o755)
    init_server(directory / name, templates(), file, program=program)
    return EvidenceServer(directory / name)


@dataclass(frozen=True)
class Pusher:
    """Stock git with the objects of a forge: what a thief of a key would use."""

    path: Path

    @classmethod
    def make(cls, path: Path) -> "Pusher":
        subprocess.run(["git", "init", "-q", "--bare", str(path)], check=True)
        return cls(path)

    def take(self, forge: Forge) -> None:
        for oid, (kind, raw) in forge.objects.items():
            file = self.path / "objects" / oid[:2] / oid[2:]
            file.parent.mkdir(exist_ok=True)
            if not file.exists():
                file.write_bytes(zlib.compress(framed(kind, raw), 1))

    def push(self, server: EvidenceServer, *specs: str) -> "subprocess.CompletedProcess[str]":
        """Push with force: whether it is allowed is the server's to say."""
        return git(self.path, "push", "--force", "--porcelain", server.url, *specs)


@contextmanager
def cutting_proxy(address: str, allowed: int) -> Iterator[str]:
    """A way to a server that breaks after so many bytes; yields ``127.0.0.1:<port>``."""
    script = Path(__file__).with_name("cutting_proxy.py")
    argv = [sys.executable, str(script), address.split(":")[1], str(allowed)]
    proxy = subprocess.Popen(argv, stdout=subprocess.PIPE)
    try:
        assert proxy.stdout is not None
        yield f"127.0.0.1:{int(proxy.stdout.readline())}"
    finally:
        proxy.kill()
        proxy.communicate()


def outbox(rig: Rig, url: str, **changes: object) -> Outbox:
    """The push of a rig's ledger to an address."""
    access = changes.pop("access", NO_ACCESS)
    assert isinstance(access, Access)
    server = Server(vet(url, access, what="evidence repository"), access)
    made = Outbox(rig.path, "smile", "desk", server, rig.directory / "home")
    return replace(made, **changes)  # type: ignore[arg-type]
