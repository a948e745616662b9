"""Secrets sealed to this machine by ``systemd-creds``: to its TPM 2.0, or to its host key.

Source: systemd-creds(1), systemd 250 and later. Sealed to the TPM, a credential opens only on this
machine in the state of PCR 7 (Secure Boot), systemd's default: a copied disk is worth nothing.

Rule 1: The secret travels through pipes; it is in no argument, no environment and no file.
Rule 2: A pipe holds 64 KiB, and is read when the program has ended: one that writes more waits
        until its time is up.
"""

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Literal

from reconciler.errors import MachineError
from reconciler.targets.linux.allow import DIRECTORIES
from reconciler.targets.linux.no_answer import NoAnswer
from reconciler.targets.linux.process import find_program
from reconciler.targets.linux.running import failure

MAX_SECRET = 16 * 1024
MAX_SEALED = 64 * 1024

_PROGRAM = "systemd-creds"
_TIMEOUT_S = 30.0
"""A TPM on a slow bus needs seconds for its primary key."""

_HINT = "See systemd-creds(1); without a TPM use --protect host, without systemd --protect file."


@dataclass(frozen=True, slots=True)
class SystemdCreds:
    """``systemd-creds``, found where only root writes.

    Attributes:
        tpm_device: Another TPM than the machine's own, as ``--tpm2-device`` takes it.
        directories: Where to look for the program.
    """

    tpm_device: str | None = None
    directories: tuple[str, ...] = DIRECTORIES

    def has_tpm(self) -> bool:
        """Whether firmware, kernel and systemd agree that there is a TPM 2.0.

        Raises:
            MachineError: ``systemd-creds`` is missing or does not end.
        """
        return self.tpm_device is not None or self._run(("--quiet", "has-tpm2"), b"")[0] == 0

    def available(self) -> bool:
        """Whether there is a ``systemd-creds`` here."""
        try:
            self._program()
        except MachineError:
            return False
        return True

    def seal(self, name: str, secret: bytes, with_key: Literal["tpm2", "host"]) -> bytes:
        """Seal a secret to this machine.

        Args:
            name: What it will be called; it opens under no other name.
            secret: At most `MAX_SECRET` bytes.
            with_key: What it is sealed with.

        Raises:
            MachineError: It cannot be sealed, for example because there is no TPM.
        """
        if len(secret) > MAX_SECRET:
            raise MachineError(f"a secret of {len(secret)} bytes is too large", hint=_HINT)
        device = self._device() if with_key == "tpm2" else ()
        options = (f"--name={name}", f"--with-key={with_key}", *device)
        return self._done(("encrypt", *options, "-", "-"), secret)

    def unseal(self, name: str, sealed: bytes) -> bytes:
        """Open what `seal` returned, on the same machine.

        Raises:
            MachineError: Sealed elsewhere or under another name, damaged, or the TPM refuses.
        """
        if len(sealed) > MAX_SEALED:
            raise MachineError(f"a credential of {len(sealed)} bytes is too large", hint=_HINT)
        return self._done(("decrypt", f"--name={name}", *self._device(), "-", "-"), sealed)

    def _device(self) -> tuple[str, ...]:
        return () if self.tpm_device is None else (f"--tpm2-device={self.tpm_device}",)

    def _done(self, arguments: Sequence[str], given: bytes) -> bytes:
        code, out, err = self._run(arguments, given)
        if code != 0:
            message = failure(f"{_PROGRAM} {arguments[0]}", code, err)
            raise MachineError(message, hint=_HINT)
        return out

    def _program(self) -> str:
        try:
            return find_program(_PROGRAM, frozenset({_PROGRAM}), self.directories)
        except NoAnswer as unknown:
            raise MachineError(unknown.reason, hint=_HINT) from unknown

    def _run(self, arguments: Sequence[str], given: bytes) -> tuple[int, bytes, bytes]:
        """Exit status and both outputs."""
        process = subprocess.Popen(
            [self._program(), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"LANG": "C"},
            cwd="/",
            start_new_session=True,
        )
        with process:
            try:
                _give(process.stdin, given)
                code = process.wait(_TIMEOUT_S)
            except BaseException as error:
                # It is not reaped yet, so the number of its group cannot be somebody else's.
                os.killpg(process.pid, signal.SIGKILL)
                if not isinstance(error, subprocess.TimeoutExpired):
                    raise
                message = f"{_PROGRAM} {arguments[0]} did not end in {_TIMEOUT_S:.0f} seconds"
                raise MachineError(message, hint=_HINT) from error
            return code, _rest(process.stdout), _rest(process.stderr)


def _give(stdin: IO[bytes] | None, data: bytes) -> None:
    if stdin is not None:
        with suppress(BrokenPipeError), stdin:
            stdin.write(data)


def _rest(stream: IO[bytes] | None) -> bytes:
    """What a program that has ended left in a pipe; a child of it may still hold the other end."""
    if stream is None:
        return b""
    os.set_blocking(stream.fileno(), False)
    with suppress(BlockingIOError):
        return os.read(stream.fileno(), MAX_SEALED)
    return b""
