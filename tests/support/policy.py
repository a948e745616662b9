"""A small catalogue and a small fleet, so that policy tests do not depend on the real ones."""

import hashlib
from pathlib import Path

from reconciler.model.check import Check, Field
from reconciler.model.parameter import Parameter
from reconciler.model.step import StepKind

VECTORS = Path(__file__).parent.parent / "vectors" / "policy"

_LINUX = frozenset({"linux"})

CHECKS = {
    check.id: check
    for check in (
        Check(
            id="TST-SSH-001",
            title="Log-in settings",
            platforms=frozenset({"linux", "nixos"}),
            source="tests",
            params={
                "limit": Parameter(
                    type="int", doc="Most.", required=False, default=10, minimum=1, maximum=100
                )
            },
            fields={
                "root_login": Field("str", "Setting."),
                "tries": Field("int", "Most tries."),
                "idle_s": Field("int", "Seconds.", optional=True),
                "forwarding": Field("bool", "Whether."),
                "ciphers": Field("list[str]", "Names."),
                "sizes": Field("list[int]", "Bits."),
            },
            probes=lambda _params: (),
            parse=lambda _params, _answers: {},
        ),
        Check(
            id="TST-UNIT-001",
            title="A unit",
            platforms=_LINUX,
            source="tests",
            params={
                "unit": Parameter(type="str", doc="Unit.", pattern=r"[a-z-]+\.service"),
                "accounts": Parameter(type="list[str]", doc="Names."),
            },
            fields={"active": Field("bool", "Whether it runs.")},
            probes=lambda _params: (),
            parse=lambda _params, _answers: {},
        ),
    )
}

STEPS = {
    step.id: step
    for step in (
        StepKind(
            id="unit.restart",
            doc="Restart a unit.",
            params={
                "unit": Parameter(type="str", doc="Unit.", pattern=r"[a-z-]+\.service"),
                "stable_s": Parameter(
                    type="int", doc="Seconds.", required=False, default=30, minimum=0, maximum=600
                ),
                "names": Parameter(type="list[str]", doc="Names.", required=False),
            },
            do=lambda _params, _before: (),
            reversible=False,
        ),
        StepKind(
            id="machine.restart",
            doc="Restart the machine.",
            params={},
            do=lambda _params, _before: (),
            reversible=False,
            restarts=True,
        ),
    )
}


def files_under(directory: Path) -> dict[str, bytes]:
    """Every file under a directory by its relative path."""
    return {
        file.relative_to(directory).as_posix(): file.read_bytes()
        for file in sorted(directory.rglob("*"))
        if file.is_file()
    }


def approved(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files with an allow-list that fits their runbooks, unless there is one."""
    runbooks = {
        path.removeprefix("runbooks/").removesuffix(".yaml"): hashlib.sha256(data).hexdigest()
        for path, data in files.items()
        if path.startswith("runbooks/RB-")
    }
    lines = "".join(f"  {name}: sha256:{digest}\n" for name, digest in runbooks.items())
    return {"runbooks/approved.yaml": f"runbooks:\n{lines}".encode(), **files}


def base_files() -> dict[str, bytes]:
    """A small fleet with nothing wrong."""
    return approved(files_under(VECTORS / "base"))


def overlaid(case: Path) -> dict[str, bytes]:
    """The small fleet with the files of a case in place of its own."""
    base = files_under(VECTORS / "base")
    files = {**base, **files_under(case / "files")}
    gone = case / "removed.txt"
    for path in gone.read_text().split() if gone.exists() else ():
        del files[path]
    return approved(files)
