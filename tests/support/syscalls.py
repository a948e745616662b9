"""What a program did to the file system: its system calls, recorded by strace and parsed.

Recorded from outside, so nothing is missed: neither what libgit2 does nor what threads do.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_NAMES = (
    "open openat openat2 creat close dup dup2 dup3 fcntl lseek clone clone3 fork vfork mmap "
    "write writev pwrite64 pwritev pwritev2 truncate ftruncate fallocate copy_file_range sendfile "
    "fsync fdatasync sync syncfs sync_file_range rename renameat renameat2 link linkat symlink "
    "symlinkat unlink unlinkat rmdir mkdir mkdirat"
)
_STRACE = ("strace", "-f", "--seccomp-bpf", "-qq")
_LINE = re.compile(r"(\d+) +(.*)")
_WHOLE = re.compile(r"(\w+)\((.*)\) += (-?\d+|0x[0-9a-f]+|\?)(?: .*)?", re.DOTALL)
_BEGUN = re.compile(r"(\w+)\((.*) <unfinished \.\.\.>", re.DOTALL)
_RESUMED = re.compile(r"<\.\.\. (\w+) resumed>(.*)", re.DOTALL)
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


@dataclass(frozen=True, slots=True)
class Call:
    """One system call that was successful.

    Attributes:
        thread: Id of the thread that made it.
        name: Its name.
        arguments: As strace shows them.
        result: What it returned.
        begun: How many calls had ended when it began.
    """

    thread: int
    name: str
    arguments: tuple[str, ...]
    result: int
    begun: int

    def number(self, place: int) -> int:
        """An argument that is a number."""
        return int(self.arguments[place], 0)

    def path(self, place: int) -> str:
        """An argument that is a path."""
        return text(self.arguments[place]).decode()

    def data(self) -> bytes:
        """The bytes that were written."""
        return text(self.arguments[1])[: self.result]


def text(argument: str) -> bytes:
    """The bytes of an argument, of all parts if it has some."""
    assert not argument.endswith("..."), "strace cut it off"
    return bytes.fromhex("".join(_TEXT.findall(argument)).replace("\\x", ""))


def missing() -> str | None:
    """Why nothing can be recorded here, None if it can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    tried = subprocess.run(
        [*_STRACE, "-e", "trace=fsync", "-o", "/dev/null", "true"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    return tried.stderr.strip() or "strace may not trace" if tried.returncode else None


def record(module: str, arguments: Sequence[str], out: Path) -> list[Call]:
    """Run a module of the tests and record what it does.

    Args:
        module: Its name.
        arguments: Its arguments.
        out: Where strace may write.
    """
    names = ",".join(f"?{name}" for name in _NAMES.split())
    what = ["-e", f"trace={names}", "-e", "signal=none", "-xx", "-s", str(2**24)]
    done = subprocess.run(
        [*_STRACE, *what, "-o", str(out), sys.executable, "-m", module, *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr
    return list(parsed(out.read_text(encoding="ascii").splitlines()))


def parsed(lines: Sequence[str]) -> Iterator[Call]:
    """The calls that were successful, in the order in which they ended."""
    ended = 0
    open_: dict[int, tuple[str, int]] = {}
    for line in lines:
        match = _LINE.fullmatch(line)
        assert match is not None, line
        thread, rest, begun = int(match[1]), match[2], ended
        if (unfinished := _BEGUN.fullmatch(rest)) is not None:
            open_[thread] = (f"{unfinished[1]}({unfinished[2]}", ended)
            continue
        if (resumed := _RESUMED.fullmatch(rest)) is not None:
            before, begun = open_.pop(thread)
            rest = before + resumed[2]
        call = _WHOLE.fullmatch(rest)
        if call is None:
            assert rest.startswith("+++"), rest
            continue
        if call[3] == "?" or call[3].startswith("-"):
            continue
        ended += 1
        yield Call(thread, call[1], tuple(_split(call[2])), int(call[3], 0), begun)


def _split(arguments: str) -> Iterator[str]:
    """Arguments, apart from each other; texts are hexadecimal, so no comma is part of one."""
    depth, start = 0, 0
    for place, letter in enumerate(arguments):
        if letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
        elif letter == "," and depth == 0:
            yield arguments[start:place].strip()
            start = place + 1
    if arguments:
        yield arguments[start:].strip()
