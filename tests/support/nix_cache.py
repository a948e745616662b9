"""Binary caches that lie: a copy of a good one, damaged in one way.

`forge` is the worst: whoever has the cache's key signs other bytes for a path that a release names.
Nix takes them; only the release's own hash can tell.
"""

import base64
import hashlib
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.support.nix_runtime import NixStore

__all__ = ["LyingCache", "signature"]

_BASE32 = "0123456789abcdfghijklmnpqrsvwxyz"


def base32(digest: bytes) -> str:
    """A digest as Nix writes it: five bits a character, the last first."""
    number = int.from_bytes(digest, "little")
    length = (len(digest) * 8 + 4) // 5
    return "".join(_BASE32[number >> (5 * place) & 31] for place in range(length))[::-1]


def signature(narinfo: str, secret: str) -> str:
    """The line that a holder of the key would write below these facts.

    Args:
        narinfo: With StorePath, NarHash, NarSize and References.
        secret: ``name:base64`` as ``nix key generate-secret`` prints it.
    """
    facts = dict(re.findall(r"^(\w+): (.*)$", narinfo, re.MULTILINE))
    references = ",".join(f"/nix/store/{name}" for name in facts["References"].split())
    parts = ("1", facts["StorePath"], facts["NarHash"], facts["NarSize"], references)
    name, key = secret.split(":")
    signer = Ed25519PrivateKey.from_private_bytes(base64.b64decode(key)[:32])
    return f"Sig: {name}:{base64.b64encode(signer.sign(';'.join(parts).encode())).decode()}\n"


@dataclass(frozen=True)
class LyingCache:
    """A cache whose files a test may change; every method damages one path.

    Attributes:
        directory: As in ``file://<directory>``.
    """

    directory: Path

    @classmethod
    def of(cls, good: Path, directory: Path) -> "LyingCache":
        """A copy of a good cache."""
        shutil.copytree(good, directory)
        return cls(directory)

    def narinfo(self, path: str) -> Path:
        """The file that describes a store path."""
        return self.directory / f"{path.removeprefix('/nix/store/')[:32]}.narinfo"

    def nar(self, path: str) -> Path:
        """The file that holds its content."""
        found = re.search(r"^URL: (\S+)$", self.narinfo(path).read_text(), re.MULTILINE)
        assert found is not None
        return self.directory / found[1]

    def drop(self, path: str) -> None:
        """The cache does not have it."""
        self.narinfo(path).unlink()

    def lose_nar(self, path: str) -> None:
        """The cache says that it has it, and does not."""
        self.nar(path).unlink()

    def strip_signatures(self, path: str) -> None:
        """Nobody vouches for it."""
        self._edit(path, r"^Sig: .*\n", "")

    def wrong_hash(self, path: str) -> None:
        """Its description names another content, under the old signature."""
        self._edit(path, r"^NarHash: .*$", f"NarHash: sha256:{base32(bytes(32))}")

    def corrupt(self, path: str) -> None:
        """One byte of its content is another; description and signature are right."""
        nar = self.nar(path)
        content = bytearray(nar.read_bytes())
        content[content.index(b"contents") + 16] ^= 1  # the first byte of its first file
        nar.write_bytes(content)

    def forge(self, path: str, content: Path, store: NixStore, secret: str) -> None:
        """Other content under a good signature: the cache's key was stolen.

        Args:
            path: Whose content it shall be.
            content: A file or directory of this machine.
            store: Whose Nix packs it.
            secret: The stolen key.
        """
        nar = store.attempt("nix-store", "--dump", str(content)).stdout
        digest = f"sha256:{base32(hashlib.sha256(nar).digest())}"
        self.nar(path).write_bytes(nar)
        for name, value in (("NarHash", digest), ("FileHash", digest)):
            self._edit(path, rf"^{name}: .*$", f"{name}: {value}")
        for name in ("NarSize", "FileSize"):
            self._edit(path, rf"^{name}: .*$", f"{name}: {len(nar)}")
        self.strip_signatures(path)
        text = self.narinfo(path).read_text()
        self.narinfo(path).write_text(text + signature(text, secret))

    def _edit(self, path: str, pattern: str, replacement: str) -> None:
        file = self.narinfo(path)
        after, times = re.subn(pattern, replacement, file.read_text(), flags=re.MULTILINE)
        assert times, pattern
        file.write_text(after)
