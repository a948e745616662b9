"""cosign, a program of another house in another language, as tests run it.

Debian has it in sid only, so it is looked for on the path and is optional: fetch the package,
``dpkg -x`` it anywhere, put its ``usr/bin`` on the path.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.sigstore import Fault, TestSigstore

# What the two houses judge alike; the rest is ours to be stricter about.
ALIKE = (
    Fault.UNKNOWN_AUTHORITY,
    Fault.EXPIRED,
    Fault.EARLY,
    Fault.NO_CODE_SIGNING,
    Fault.NO_SCT,
    Fault.SCT_BY_OTHER_KEY,
    Fault.SCT_OF_OTHER_CERTIFICATE,
    Fault.NO_PROOF,
    Fault.NO_CHECKPOINT,
    Fault.PROOF_HASH,
    Fault.CHECKPOINT_BY_OTHER_KEY,
    Fault.CHECKPOINT_OF_SHORTER_LOG,
    Fault.OTHER_ENTRY,
    Fault.NO_TIMESTAMP,
    Fault.TIMESTAMP_BY_OTHER_AUTHORITY,
    Fault.TIMESTAMP_OF_OTHER_SIGNATURE,
)


class Cosign:
    """The program, with a home of its own and no network but the loopback interface's."""

    def __init__(self, program: str, home: Path) -> None:
        self._program = program
        self._home = home

    @classmethod
    def find(cls, home: Path) -> "Cosign":
        """The program on the path; without it, the test is skipped."""
        program = shutil.which("cosign")
        if program is None:
            pytest.skip("cosign: not on the path (Debian sid has it; dpkg -x is enough)")
        return cls(program, home)

    def file(self, name: str, data: bytes) -> Path:
        """A file in the program's home."""
        path = self._home / name
        path.write_bytes(data)
        return path

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        environment = {"HOME": str(self._home), "PATH": "/usr/bin:/bin"}
        command = [self._program, *arguments]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    def verify(
        self, command: str, sigstore: TestSigstore, bundle: str, identity: str, *more: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run one of its commands that verify a bundle.

        Args:
            command: ``verify-blob`` or ``verify-blob-attestation``.
            sigstore: Whom to believe.
            bundle: The bundle, as JSON.
            identity: Who must have signed.
            *more: What else the command needs: the file at least.
        """
        file = self.file("bundle.json", bundle.encode())
        root = ["--trusted-root", str(sigstore.trusted_root)]
        who = ["--certificate-identity", identity, "--certificate-oidc-issuer", sigstore.issuer]
        return self.run(command, "--bundle", str(file), *root, *who, *more)

    def sign(
        self, command: str, sigstore: TestSigstore, rekor: int, identity: str, *more: str
    ) -> str:
        """Run one of its commands that sign; the bundle."""
        # cosign takes a token for the name of a file first, and fails if it is too long for one.
        token = self.file("token", sigstore.identity_token(identity).encode())
        bundle = self._home / "signed.json"
        where = ["--signing-config", str(sigstore.signing_config(rekor=rekor))]
        root = ["--trusted-root", str(sigstore.trusted_root)]
        out = ["--yes", "--identity-token", str(token), "--bundle", str(bundle)]
        done = self.run(command, *where, *root, *out, *more)
        assert done.returncode == 0, done.stderr[-2000:]
        return bundle.read_text()
