#!/usr/bin/python3 -I
"""What a NixOS system does to take over a machine: /etc, users, and the name of what runs now.

The parts are carried out one after the other; one that fails does not keep the next from being
tried, and the script then ends with 1. The machine runs the new system all the same: whoever
switched has to look. `fails` in the system makes a part fail for a test.
"""

import json
import os
import pwd
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SYSTEM = Path("@out@")
ETC = Path("/etc")
STATIC = ETC / "static"
CLEAN = ETC / ".clean"
FAILS = (SYSTEM / "fails").read_text()
PARTS = (".mode", ".uid", ".gid")


def link(source: str, target: Path) -> None:
    """Put a symbolic link where there may be a file."""
    new = target.with_name(f"{target.name}.tmp")
    new.unlink(missing_ok=True)
    new.symlink_to(source)
    new.rename(target)


def wanted(root: Path) -> Iterator[str]:
    """Every file below the system's etc, by its path; a link to a directory is one file."""
    for directory, names, files in os.walk(root):
        links = [name for name in names if Path(directory, name).is_symlink()]
        for name in (*files, *links):
            if not name.endswith(PARTS):
                yield str(Path(directory, name).relative_to(root))


def place(path: str) -> bool:
    """Put one file into /etc: a link into the store, or a copy with its mode.

    Returns:
        Whether it is a copy.
    """
    source, target = SYSTEM / "etc" / path, ETC / path
    target.parent.mkdir(parents=True, exist_ok=True)
    mode = source.with_name(f"{source.name}.mode")
    if not mode.exists():
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        link(f"/etc/static/{path}", target)
        return False
    new = target.with_name(f"{target.name}.tmp")
    shutil.copyfile(source, new)
    shutil.chown(new, *(source.with_name(source.name + p).read_text().strip() for p in PARTS[1:]))
    new.chmod(int(mode.read_text(), 8))
    new.rename(target)
    return True


def etc() -> None:
    """Links into the store, copies with a mode, and nothing of the system before."""
    link(f"{SYSTEM}/etc", STATIC)
    if FAILS == "activation:dies":
        os.kill(os.getpid(), signal.SIGKILL)
    before = set(CLEAN.read_text().split("\n")) if CLEAN.exists() else set()
    files = sorted(wanted((SYSTEM / "etc").resolve()))
    copies = {path for path in files if place(path)}
    for path in before - copies - {""}:
        (ETC / path).unlink(missing_ok=True)
    for directory, names, found in os.walk(ETC):
        for path in (Path(directory, name) for name in (*names, *found)):
            ours = path.is_symlink() and str(path.readlink()).startswith("/etc/static/")
            if ours and not path.exists():
                path.unlink()
    CLEAN.write_text("\n".join(sorted(copies)))


def table(path: Path) -> dict[str, list[str]]:
    """A file of lines with colons, by first field."""
    rows = [line.split(":") for line in path.read_text().splitlines()]
    return {row[0]: row for row in rows}


def write(path: Path, rows: list[list[str]], mode: int) -> None:
    """Replace it whole."""
    new = path.with_name(f"{path.name}.new")
    new.write_text("".join(":".join(row) + "\n" for row in rows))
    group = shutil.chown(new, "root", "shadow" if mode == 0o640 else "root")
    assert group is None
    new.chmod(mode)
    new.rename(path)


def users() -> None:
    """Declared users and groups; whoever else has an account stays only where that is declared."""
    declared: dict[str, Any] = json.loads((SYSTEM / "users-groups.json").read_text())
    passwd, group, shadow = (table(ETC / name) for name in ("passwd", "group", "shadow"))
    if not declared["mutable"]:
        passwd, group = {}, {}
    for user in declared["users"]:
        fields = [user[name] for name in ("name", "uid", "gid", "gecos", "home", "shell")]
        passwd[user["name"]] = [fields[0], "x", *map(str, fields[1:])]
        shadow.setdefault(user["name"], [user["name"], "!", "1", "", "", "", "", "", ""])
    for one in declared["groups"]:
        group[one["name"]] = [one["name"], "x", str(one["gid"]), ",".join(one["members"])]
    write(ETC / "passwd", list(passwd.values()), 0o644)
    write(ETC / "group", list(group.values()), 0o644)
    write(ETC / "shadow", [row for name, row in shadow.items() if name in passwd], 0o640)
    for user in declared["users"]:
        home = Path(user["home"])
        if home.parent == Path("/home") and not home.exists():
            home.mkdir(mode=0o700)
            shutil.chown(home, pwd.getpwnam(user["name"]).pw_uid, user["gid"])


def main() -> int:
    """All parts in order, then the new name."""
    status = 0
    for part in (etc, users):
        try:
            if f"activation:{part.__name__}" == FAILS:
                raise OSError("made to fail for a test")
            part()
        except OSError as error:
            sys.stderr.write(f"Activation script snippet '{part.__name__}' failed: {error}\n")
            status = 1
    if FAILS == "activation:hangs":
        time.sleep(600)
    link(str(SYSTEM), Path("/run/current-system"))
    return status


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
