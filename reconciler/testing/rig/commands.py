"""Run a program on the host, with a deadline, and say what it said when it fails."""

import subprocess  # noqa: TID251 - the rig starts real programs
from collections.abc import Mapping

MINIMAL_ENV = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
}


class CommandFailed(AssertionError):
    """A command ended badly or not at all; the message carries its output.

    An assertion, because in a test a machine that cannot be broken or asked proves nothing.
    """


def host(
    *argv: str, input: bytes = b"", timeout: float = 30, env: Mapping[str, str] = MINIMAL_ENV
) -> str:
    """Run `argv` on the host and return its output.

    Raises:
        CommandFailed: It could not start, ran longer than `timeout` seconds, or returned non-zero.
    """
    done = call(argv, input=input, timeout=timeout, env=env)
    if done.returncode != 0:
        raise CommandFailed(describe(argv, done))
    return done.stdout.decode(errors="replace")


def call(
    argv: tuple[str, ...], *, input: bytes, timeout: float, env: Mapping[str, str]
) -> subprocess.CompletedProcess[bytes]:
    """Run `argv`, whatever it returns.

    Raises:
        CommandFailed: It could not start, or ran longer than `timeout` seconds.
    """
    try:
        return subprocess.run(  # noqa: S603 - argument lists, no shell
            argv, input=input, capture_output=True, timeout=timeout, env=env, check=False
        )
    except subprocess.TimeoutExpired as late:
        raise CommandFailed(f"{' '.join(argv)}: still running after {timeout} s") from late
    except OSError as error:
        raise CommandFailed(f"{' '.join(argv)}: {error}") from error


def describe(argv: tuple[str, ...], done: subprocess.CompletedProcess[bytes]) -> str:
    """One failed command as text: argv, status, and the end of what it printed."""
    out = done.stdout[-2000:].decode(errors="replace").strip()
    err = done.stderr[-2000:].decode(errors="replace").strip()
    return f"{' '.join(argv)}: exit {done.returncode}\n--- stdout\n{out}\n--- stderr\n{err}"
