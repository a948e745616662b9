#!/usr/bin/python3 -I
"""Stands in for systemd's bootctl: the guest has no firmware whose variables could be set.

`set-oneshot ID`, `set-default ID` and `list` with `--json`, on the files that boot_loader.sh reads.
"""

import json
import re
import sys
from pathlib import Path

LOADER = Path("/boot/loader")


def write(path: Path, text: str) -> None:
    """Replace a file whole: a boot loader never sees half of it."""
    new = path.with_name(f".{path.name}.new")
    new.write_text(text)
    new.rename(path)


def entries() -> list[dict[str, object]]:
    """Every entry, with the marks that bootctl gives."""
    conf = (LOADER / "loader.conf").read_text()
    default = re.search(r"^default\s+(\S+)", conf, re.MULTILINE)
    selected = Path("/run/loader/selected").read_text().strip()
    found = []
    for path in sorted((LOADER / "entries").glob("*.conf")):
        marks = {
            "isDefault": default is not None and path.name == default[1],
            "isSelected": path.name == selected,
        }
        found.append({"type": "type1", "id": path.name, "path": str(path), **marks})
    return found


def choose(name: str, what: str) -> int:
    """Take down an entry for the next boot, or for every boot."""
    if what and not (LOADER / "entries" / what).is_file():
        sys.stderr.write(f"bootctl: there is no entry {what}\n")
        return 1
    if name == "set-oneshot":
        write(LOADER / "one-shot", what)
    else:
        write(LOADER / "loader.conf", f"timeout 5\ndefault {what}\n")
    return 0


def main(argv: list[str]) -> int:
    """One command."""
    words = [word for word in argv if not word.startswith("--")]
    if words[:1] == ["list"]:
        sys.stdout.write(json.dumps(entries()) + "\n")
        return 0
    if len(words) == 2 and words[0] in {"set-oneshot", "set-default"}:
        return choose(*words)
    sys.stderr.write("bootctl: list, set-oneshot ID or set-default ID\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
