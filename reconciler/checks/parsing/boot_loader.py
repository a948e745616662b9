"""What systemd-boot starts by itself, by the files that it reads.

Source: loader.conf(5); the Boot Loader Specification.
"""

import re
from collections.abc import Iterable

from reconciler.checks.parsing.shapes import FileText, code_lines
from reconciler.model.system import STORE_PATH

CONF = "/boot/loader/loader.conf"
ENTRIES = "/boot/loader/entries/*.conf"

_DEFAULT = re.compile(r"default\s+(\S+)")
_INIT = re.compile(rf"({STORE_PATH})/init")


def default_system(conf: str, entries: Iterable[FileText]) -> str | None:
    """The system of the default entry, or what else it starts; ``None`` where the files name none.

    Args:
        conf: Text of `CONF`.
        entries: Files of `ENTRIES`.
    """
    names = [found[1] for line in code_lines(conf) if (found := _DEFAULT.fullmatch(line))]
    for file in entries if names else ():
        if file.path.rpartition("/")[2].removesuffix(".conf") == names[-1].removesuffix(".conf"):
            return _system_of(file.text)
    return None


def _system_of(text: str) -> str | None:
    """Of several words ``init=`` the last one counts, in the kernel as in an initrd."""
    lines = (line.split() for line in code_lines(text))
    words = [word for key, *rest in lines if key == "options" for word in rest]
    inits = [word.removeprefix("init=") for word in words if word.startswith("init=")]
    if not inits:
        return None
    found = _INIT.fullmatch(inits[-1])
    return inits[-1] if found is None else found[1]
