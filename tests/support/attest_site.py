"""A fleet's server and the clones of its people and its CI, all with stock git."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)

from reconciler.cli import execute
from reconciler.desired.source import FleetSource
from reconciler.evidence import sshsig
from tests.support.authenticator import Authenticator
from tests.support.commands import call, host
from tests.support.evidence_keys import test_key
from tests.support.fleet_git import SIGNERS, Files, FleetRepo, allowed, git_env
from tests.support.trust_fleet import POLICY, POLICY_TEXT

NAMES = ("alice", "bob", "carol", "erin", "frank", "ci", "bot")
ATTESTING = "reconciler-attestation"


def line(name: str, namespaces: str = f"git,{ATTESTING}") -> str:
    """A line of allowed_signers, with its newline."""
    public = sshsig.public_text(sshsig.raw_public(test_key(name)))
    return f'{name}@msp.example namespaces="{namespaces}" {public}\n'


YUBIKEY = Authenticator("bob-sk")
SIGNERS_TEXT = "".join(line(name) for name in NAMES if name != "ci") + line("ci", ATTESTING)
SIGNERS_TEXT += YUBIKEY.line("bob-sk@msp.example")


class AttestSite:
    """A bare server, and clones of it by name."""

    def __init__(self, root: Path, files: Files | None = None) -> None:
        self.root = root
        self.fleet = FleetRepo(root / "msp")
        self.server = root / "fleet.git"
        default = {
            SIGNERS: SIGNERS_TEXT,
            "hosts/example-clinic/client.yaml": "id: example-clinic\n",
            "runbooks/RB-A-001.yaml": "id: RB-A-001\n",
            POLICY: POLICY_TEXT,
        }
        self.base = self.fleet.commit("alice", files or default)
        host("git", "init", "-q", "--bare", "-b", "main", str(self.server))
        self.fleet.git("remote", "add", "origin", str(self.server))
        self.fleet.git("push", "-q", "origin", "main")

    def clone(self, name: str) -> Path:
        """The clone of somebody, made when it is asked for first."""
        path = self.root / "clones" / name
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            # As over a network: a copy of a path would bring what no branch holds.
            url = f"file://{self.server}"
            host("git", "clone", "-q", url, str(path), env=git_env(self.root))
        return path

    def git(self, name: str, *arguments: str) -> str:
        """Stock git in a clone."""
        path = self.clone(name)
        return host("git", "-C", str(path), *arguments, env=git_env(path)).strip()

    def pushes(self, name: str, branch: str = "attestations") -> bool:
        """Whether a plain push goes through."""
        path = self.clone(name)
        argv = ("git", "-C", str(path), "push", "-q", "origin", branch)
        return call(argv, input=b"", timeout=30, env=git_env(path)).returncode == 0

    def proposes(self, by: str, files: Files, branch: str = "change") -> str:
        """A commit on a branch of the server; everybody fetches it."""
        self.fleet.git("checkout", "-q", "-B", branch, "main")
        tip = self.fleet.commit(by, files)
        self.fleet.git("push", "-q", "-f", "origin", branch)
        return tip

    def lands(self, by: str, tip: str) -> str:
        """A merge into main by somebody, pushed."""
        self.fleet.git("checkout", "-q", "main")
        self.fleet._tick(None)
        merge = ("merge", "-q", "--no-ff", "-m", "m", tip)
        self.fleet.git(*self.fleet._signing(by), *merge)
        self.fleet.git("push", "-q", "origin", "main")
        return self.fleet.head()

    def key(self, name: str, passphrase: str = "") -> Path:
        """The private key of somebody as a file of OpenSSH."""
        if not passphrase:
            return self.fleet.key_file(name)
        file = self.fleet.keys / f"{name}-locked"
        file.touch(mode=0o600)
        lock = BestAvailableEncryption(passphrase.encode())
        file.write_bytes(test_key(name).private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, lock))
        return file

    def public(self, name: str) -> Path:
        """The public half of it."""
        file = self.fleet.keys / f"{name}.pub"
        file.write_text(sshsig.public_line(sshsig.raw_public(test_key(name))) + "\n")
        return file

    def source(self) -> FleetSource:
        """An appliance's view of the server."""
        return FleetSource(self.root / "state/fleet.git", str(self.server), "main")

    def accepts(self, accepted: str | None) -> str:
        """Fetch and verify like an appliance; the commit that is accepted."""
        source = self.source()
        head = source.fetch()
        now = datetime.now(UTC)
        pinned = allowed("alice")
        return source.verify_new(accepted=accepted, head=head, pinned=pinned, now=now).commit


def attest(site: AttestSite, name: str, capsys: Any, *argv: object, code: int = 0) -> Any:
    """What ``reconciler attest`` says with --json in somebody's clone; or its error."""
    arguments = ["attest", *map(str, argv), "--repository", str(site.clone(name)), "--json"]
    assert execute(arguments) == code, capsys.readouterr().err
    said = capsys.readouterr()
    return json.loads(said.out) if code == 0 else said.err
