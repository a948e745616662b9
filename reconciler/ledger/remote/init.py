"""Making an evidence repository for a server: bare, append-only, with the hook that checks pushes.

Plain files from the templates; Git itself is not needed, and libgit2 neither.
"""

import shlex
from pathlib import Path

from reconciler.errors import InputError, MachineError, Where
from reconciler.evidence import signers
from reconciler.evidence.signers import AllowedSigners
from reconciler.ledger.durable import flush, on_disk

SIGNERS = "trust/allowed_signers"
"""Where the repository keeps who may sign, from its own directory."""

_FILES = {
    "README.md": "README.md",
    "config": "config",
    "hooks/pre-receive": "hooks/pre-receive",
    "trust/README.md": "trust/README.md",
    "DISCLOSURES.md": "DISCLOSURES.md",
    # A bare repository has no work tree: git looks for attributes here.
    ".gitattributes": "info/attributes",
}
_DIRECTORIES = ("hooks", "info", "objects/info", "objects/pack", "refs/heads", "refs/tags", "trust")
_CALL = "exec reconciler "


def templates() -> Path:
    """Where the templates are: inside an installed package, or at the root of a checkout.

    Raises:
        MachineError: They are in neither place.
    """
    package = Path(__file__).resolve().parents[2]
    for root in (package / "templates" / "evidence-repo", package.parent / "evidence-repo"):
        if (root / "hooks" / "pre-receive").is_file():
            return root
    raise MachineError(
        "the templates of an evidence repository are not installed",
        hint="Reinstall the package, or run from a checkout.",
    )


def init_server(
    directory: Path, templates: Path, signers_file: Path, *, program: Path | None = None
) -> None:
    """Make an evidence repository that appliances can push to.

    Args:
        directory: Where; may exist if it is empty.
        templates: See `templates`.
        signers_file: Who may sign; copied into it, and its first appliance names the branch that
            a plain ``git clone`` checks out.
        program: Absolute path of ``reconciler`` for the hook; without it, it is looked for in PATH.

    Raises:
        InputError: There is something in that place, or the signers file is not one.
        MachineError: The directory cannot be written, or the templates cannot be read.
    """
    head = f"ref: refs/heads/{_first(_signers(signers_file))}\n"
    with on_disk(directory):
        if directory.exists() and any(directory.iterdir()):
            hint = "Choose an empty directory; nothing is overwritten."
            raise InputError("is not empty", hint=hint, where=Where(str(directory)))
        for part in ("", *_DIRECTORIES):
            (directory / part).mkdir(mode=0o755, parents=True, exist_ok=True)
        for template, name in _FILES.items():
            _write(directory / name, _read(templates / template))
        _write(directory / SIGNERS, _read(signers_file))
        hook = directory / "hooks" / "pre-receive"
        hook.write_text(_calling(hook.read_text(encoding="utf-8"), program), encoding="utf-8")
        hook.chmod(0o755)
        # Last: without HEAD git does not take it for a repository.
        _write(directory / "HEAD", head.encode())
        for part in (*_DIRECTORIES, "objects", "refs", "", ".."):
            flush(directory / part)


def server_signers(repository: Path) -> AllowedSigners:
    """Who may sign in an evidence repository, from its own trust folder.

    Raises:
        InputError: The file is missing or not one.
    """
    return _signers(repository / SIGNERS)


def _signers(file: Path) -> AllowedSigners:
    # Not through reconciler.ledger.verify: a hook starts for each push and needs no whole audit.
    try:
        return signers.parse(_read(file), str(file))
    except OSError as error:
        hint = "Name everybody who may sign in it, one line each (ssh-keygen(1), ALLOWED SIGNERS)."
        message = f"cannot be read: {error.strerror}"
        raise InputError(message, hint=hint, where=Where(str(file))) from error


def _first(allowed: AllowedSigners) -> str:
    for signer in allowed.signers:
        if signer.principal.count("/") == 1:
            return signer.principal
    hint = "It needs a line for each appliance: reconciler keys show KEY prints the key."
    raise InputError(
        "no appliance may sign (<client>/<host>)", hint=hint, where=Where(allowed.file)
    )


def _calling(script: str, program: Path | None) -> str:
    return (
        script if program is None else script.replace(_CALL, f"exec {shlex.quote(str(program))} ")
    )


def _read(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(signers.MAX_BYTES + 1)


def _write(file: Path, data: bytes) -> None:
    with file.open("xb") as opened:
        opened.write(data)
        flush(opened)
