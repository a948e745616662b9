"""Real fleet repositories, made by stock git, and the raw commits that git refuses to make."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pygit2
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from reconciler.desired.limits import READ_LIMITS, ReadLimits
from reconciler.desired.trust.verify import Acceptance, verify_new
from reconciler.evidence import commit as commits
from reconciler.evidence import signers, sshsig
from reconciler.evidence.commit import Person
from reconciler.evidence.signers import AllowedSigners
from tests.support.commands import MINIMAL_ENV, host
from tests.support.evidence_keys import test_key

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
NOW = START + timedelta(days=30)
SIGNERS = "policies/trust/allowed_signers"

Files = Mapping[str, str | bytes | None]
"""Content by path; None removes the file."""


def signer_line(name: str, *, after: str | None = None, before: str | None = None) -> str:
    """A line of an allowed signers file; times as ``20260301Z``."""
    options = ['namespaces="git"']
    options += [f'valid-after="{after}"'] if after else []
    options += [f'valid-before="{before}"'] if before else []
    public = sshsig.public_text(sshsig.raw_public(test_key(name)))
    return f"{name}@msp.example {','.join(options)} {public}"


def signers_text(*names: str) -> str:
    """An allowed signers file for some people without time limits."""
    return "".join(signer_line(name) + "\n" for name in names)


def allowed(*lines: str) -> AllowedSigners:
    """What an appliance pins: whole lines, or names for lines without limits."""
    full = (line if " " in line else signer_line(line) for line in lines)
    return signers.parse("".join(f"{line}\n" for line in full).encode(), "pinned")


def at(minutes: float) -> datetime:
    """A time so many minutes after `START`."""
    return START + timedelta(minutes=minutes)


class FleetRepo:
    """A work tree with a branch ``main``; every commit says who signs it and when.

    Commits are one minute apart unless told otherwise.
    """

    def __init__(self, root: Path) -> None:
        self.keys = root / "keys"
        self.work = root / "fleet"
        self.keys.mkdir(parents=True)
        self._minutes = 0.0
        self.git_at(root, "init", "-q", "-b", "main", str(self.work))

    def root(self, by: str = "alice", *trusted: str) -> str:
        """The usual first commit: a signers file, a client and a rule."""
        return self.commit(
            by,
            {
                SIGNERS: signers_text(*(trusted or (by,))),
                "hosts/example-clinic/client.yaml": "id: example-clinic\n",
                "policies/rules/ssh.yaml": "id: ssh\n",
                "README.md": "not desired state\n",
            },
        )

    def commit(
        self, by: str | None, files: Files | None = None, *, minutes: float | None = None
    ) -> str:
        """Write files and commit them with stock git; ``by`` None leaves it unsigned."""
        default = {"policies/rules/ssh.yaml": f"id: ssh\nminute: {self._minutes}\n"}
        for path, content in (default if files is None else files).items():
            self._write(path, content)
        self.git("add", "-A")
        self._tick(minutes)
        self.git(*self._signing(by), "commit", "-q", "--allow-empty", "-m", "m")
        return self.head()

    def merge(self, by: str | None, *others: str, minutes: float | None = None) -> str:
        """Merge commits into the branch that is checked out; ours win every conflict."""
        arguments = ("merge", "-q", "--no-ff", "-s", "ours", "--allow-unrelated-histories")
        self._tick(minutes)
        self.git(*self._signing(by), *arguments, "-m", "m", *others)
        return self.head()

    def branch(self, name: str, start: str) -> None:
        """Check a new branch out."""
        self.git("checkout", "-q", "-b", name, start)

    def checkout(self, name: str) -> None:
        """Check a branch out."""
        self.git("checkout", "-q", name)

    def reset(self, commit: str) -> None:
        """What a force-push does to a server: the branch is at another commit."""
        self.git("reset", "-q", "--hard", commit)

    def head(self) -> str:
        """Hex id of what is checked out."""
        return self.git("rev-parse", "HEAD").strip()

    def raw_commit(self, raw: bytes) -> str:
        """Store any bytes as a commit, and move the branch there."""
        oid = self.store("commit", raw)
        self.git("update-ref", "refs/heads/main", oid)
        return oid

    def payload(self, parents: Sequence[str], *, tree: str | None = None) -> bytes:
        """An unsigned raw commit, one minute later."""
        self._tick(None)
        person = Person("A", "a@msp.example", int(at(self._minutes).timestamp()), "+0000")
        tree = tree or self.git("rev-parse", f"{parents[0]}^{{tree}}").strip()
        return commits.unsigned(tree, tuple(parents), person, person, b"m\n")

    def signed(self, by: str, payload: bytes, *, namespace: str = "git") -> bytes:
        """A raw commit that is signed by hand."""
        return commits.with_signature(payload, sshsig.sign(test_key(by), payload, namespace))

    def store(self, kind: str, raw: bytes) -> str:
        """Store any bytes as an object of a kind, well-formed or not."""
        options = ("hash-object", "-t", kind, "-w", "--literally", "--stdin")
        return self.git(*options, input=raw).strip()

    def raw_head(self) -> bytes:
        """The raw bytes of the commit that is checked out."""
        repository = pygit2.Repository(str(self.work))
        return repository.odb.read(self.head())[1]

    def with_tree(self, by: str, nodes: Sequence[tuple[bytes, bytes, str]], *parents: str) -> str:
        """A signed commit of a raw tree, its nodes exactly as given: mode, name, object id."""
        raw = b"".join(b"%b %b\x00%b" % (m, n, bytes.fromhex(o)) for m, n, o in nodes)
        tree = self.store("tree", raw)
        return self.raw_commit(self.signed(by, self.payload(parents, tree=tree)))

    def key_file(self, name: str) -> Path:
        """The private key of a person, as ssh-keygen wants it."""
        file = self.keys / name
        if not file.exists():
            file.touch(mode=0o600)
            form = (Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
            file.write_bytes(test_key(name).private_bytes(*form))
        return file

    def verify(
        self,
        accepted: str | None,
        head: str,
        *,
        pinned: AllowedSigners | None = None,
        now: datetime = NOW,
        limits: ReadLimits = READ_LIMITS,
    ) -> Acceptance:
        """`verify_new` on this repository; pinned is alice."""
        repository = pygit2.Repository(str(self.work))
        trusted = pinned or allowed("alice")
        return verify_new(repository, accepted, head, trusted, now, limits, branch="main")

    def git(self, *arguments: str, input: bytes = b"") -> str:
        """Stock git in the work tree, at the repository's own time."""
        return self.git_at(self.work, *arguments, minutes=self._minutes, input=input)

    def git_at(
        self, directory: Path, *arguments: str, minutes: float = 0, input: bytes = b""
    ) -> str:
        """Stock git anywhere."""
        env = git_env(directory, minutes)
        return host("git", "-C", str(directory), *arguments, input=input, env=env)

    def _tick(self, minutes: float | None) -> None:
        self._minutes = self._minutes + 1 if minutes is None else minutes

    def _signing(self, by: str | None) -> tuple[str, ...]:
        if by is None:
            return ("-c", "commit.gpgsign=false")
        key = f"user.signingkey={self.key_file(by)}"
        return ("-c", "commit.gpgsign=true", "-c", "gpg.format=ssh", "-c", key)

    def _write(self, path: str, content: str | bytes | None) -> None:
        file = self.work / path
        if content is None:
            file.unlink()
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)


def git_env(directory: Path, minutes: float = 0) -> dict[str, str]:
    """An environment for stock git in which nobody's configuration counts."""
    date = f"{int(at(minutes).timestamp())} +0100"
    return {
        **MINIMAL_ENV,
        "HOME": str(directory),
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "A",
        "GIT_AUTHOR_EMAIL": "a@msp.example",
        "GIT_COMMITTER_NAME": "A",
        "GIT_COMMITTER_EMAIL": "a@msp.example",
        "GIT_AUTHOR_DATE": date,
        "GIT_COMMITTER_DATE": date,
    }
