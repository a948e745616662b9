"""A store path as this store knows it, brought from caches, before a byte of it is put in place.

Nix repairs a path where it lies: it removes what is there, unpacks what a cache sends, and compares
afterwards. What does not fit stays in the place of a path that is in use, whoever sent it; and with
the key of a cache, anything fits. So the content is fetched beside it and held against the hash in
the database first, and Nix is given a cache that holds this and nothing else.

Rule 1: Only the hash in the database counts, not who vouches for what a cache sends.
Rule 2: A cache that does not answer, answers too much or sends something else has nothing; the next
        one is asked.
"""

import hashlib
import hmac
from collections.abc import Iterable
from pathlib import Path

from reconciler.errors import MachineError
from reconciler.nix import base32
from reconciler.nix.database import PathInfo
from reconciler.nix.process import NixStore, attempt
from reconciler.nix.store_path import STORE_DIR, digest_part

_NAR = "content.nar"
_CACHE_INFO = f"StoreDir: {STORE_DIR}\n"


def bring(
    info: PathInfo,
    address: str | None,
    caches: Iterable[str],
    place: Path,
    *,
    timeout_s: float,
    state: NixStore,
) -> str | None:
    """Make a cache of one path, as the database knows it.

    Args:
        info: What the database says of the path.
        address: Its content address, likewise.
        caches: Addresses of caches, asked in this order.
        place: A directory of this user alone, empty.
        timeout_s: Seconds that each may take.
        state: Which Nix asks.

    Returns:
        Address of the cache in ``place``; None where no cache has the path as it was.

    Raises:
        MachineError: No cache has it, and one could not be asked or what it sent not be kept.
    """
    trouble: MachineError | None = None
    for cache in caches:
        try:
            if _fetched(info, cache, place / _NAR, timeout_s, state):
                return _described(info, address, place)
        except MachineError as error:
            trouble = error
    if trouble is not None:
        raise trouble
    return None


def _fetched(info: PathInfo, cache: str, file: Path, timeout_s: float, state: NixStore) -> bool:
    """Whether a cache sent the content whose hash is known."""
    whole = hashlib.sha256()
    with file.open("wb") as stream:

        def take(piece: bytes) -> None:
            whole.update(piece)
            stream.write(piece)

        # How it ends does not matter, only what came.
        attempt(
            "nix",
            *("store", "dump-path", "--store", cache, info.path),
            timeout_s=timeout_s,
            limit=info.nar_bytes,
            state=state,
            sink=take,
        )
    return hmac.compare_digest(whole.hexdigest(), info.nar_sha256)


def _described(info: PathInfo, address: str | None, place: Path) -> str:
    """Describe the path in all that the database knows: Nix takes over what it is told."""
    lines = [
        ("StorePath", info.path),
        ("URL", _NAR),
        ("Compression", "none"),
        ("NarHash", f"sha256:{base32.encode(bytes.fromhex(info.nar_sha256))}"),
        ("NarSize", info.nar_bytes),
        ("References", " ".join(map(_base, info.references))),
        *(("Deriver", _base(path)) for path in (info.deriver,) if path is not None),
        *(("Sig", signature) for signature in info.signatures),
        *(("CA", known) for known in (address,) if known is not None),
    ]
    text = "".join(f"{name}: {value}\n" for name, value in lines)
    (place / "nix-cache-info").write_text(_CACHE_INFO)
    (place / f"{digest_part(info.path)}.narinfo").write_text(text)
    # Nobody signs for it: it was held against the database a moment ago, and lies with this user.
    return f"file://{place}?trusted=true"


def _base(path: str) -> str:
    return path.rpartition("/")[2]
