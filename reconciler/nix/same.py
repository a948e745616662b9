"""Whether a cache holds the very bytes that this store has.

Few builds are the same to the byte when they are done again, and a cache keeps what it has. Who
builds anew what is there already would release a hash that no host could ever fetch.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.errors import MachineError
from reconciler.nix import base32, process
from reconciler.nix.database import open_database
from reconciler.nix.process import NixStore
from reconciler.programs.bounded import Ended

_HINT = (
    "Name the cache under extra-substituters and its key under extra-trusted-public-keys in the "
    "nix.conf of this machine, take that path out of its store (nix store delete), and try again."
)
_FORMAT = ("--json-format", "1")
_NO_FORMATS = b"unrecognised flag"


def require_same(paths: Sequence[str], cache: str, *, timeout_s: float, state: NixStore) -> None:
    """Compare the hash of every path of some closures with what a cache says.

    Args:
        paths: Store paths of systems.
        cache: Address.
        timeout_s: Seconds that the cache may take.
        state: Which Nix and store.

    Raises:
        MachineError: The cache has other bytes, lacks a path, or does not answer.
    """
    systems = list(dict.fromkeys(paths))
    theirs = _read(_asked(systems, cache, timeout_s, state), cache)
    with open_database(state.root) as database:
        other = sorted(
            {
                info.path
                for system in systems
                for info in database.closure(system)
                if theirs.get(info.path) != info.nar_sha256
            }
        )
    if other:
        more = f" and {len(other) - 1} more" if len(other) > 1 else ""
        message = f"{cache:.200} has {other[0]}{more} with other bytes than were built here"
        raise MachineError(message, hint=_HINT)


def _asked(paths: list[str], cache: str, timeout_s: float, state: NixStore) -> bytes:
    def ask(*form: str) -> Ended:
        what = ("path-info", "--store", cache, "--recursive", "--json", *form, *paths)
        return process.attempt("nix", *what, timeout_s=timeout_s, state=state)

    ended = ask(*_FORMAT)
    if ended.exit != 0 and _NO_FORMATS in ended.stderr:
        # An older one, which knows one form alone.
        ended = ask()
    if ended.exit != 0:
        raise process.failure("nix", ended)
    return ended.stdout


def _read(answer: bytes, cache: str) -> Mapping[str, str | None]:
    """SHA-256 by path, hex."""
    try:
        said: Any = json.loads(answer)
        if isinstance(said, list):
            said = {one["path"]: one for one in said}
        return {path: None if one is None else _hex(one["narHash"]) for path, one in said.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        message = f"what {cache:.200} says of its paths is not what Nix writes"
        raise MachineError(message, hint="See: nix path-info --json --store CACHE PATH.") from error


def _hex(text: str) -> str:
    """A hash in any of the forms that Nix has had.

    Raises:
        ValueError: It is none.
    """
    kind, digits = text[:7], text[7:]
    if kind == "sha256-":
        return base64.b64decode(digits, validate=True).hex()
    if kind != "sha256:":
        raise ValueError(text)
    return digits if len(digits) == 64 else base32.decode(digits).hex()
