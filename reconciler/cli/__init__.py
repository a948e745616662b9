"""The command line: one file a command, each imported when it is asked for.

The only reader of the environment. Every command returns a documented exit code, prints for people
by default and for machines with ``--json``, and never prints a traceback for an error that has a
name.
"""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from reconciler.errors import ExitCode, MachineError, ReconcilerError
from reconciler.version import __version__

COMMANDS = {
    "init": "Make a private fleet repository, keys and an enrolled appliance.",
    "run": "Reconcile this host once, or as a daemon.",
    "check": "Cross-check a fleet repository: rules, checks, runbooks, controls, exceptions.",
    "plan": "Say what a change of the fleet does to every machine, for the pull request.",
    "simulate": "Say what rules and guards would do with recorded or made-up drift.",
    "propose": "Propose rules from choices that keep succeeding, as a branch to sign.",
    "approve": "Write an approval for runbooks, an incident or a new host, ready to be signed.",
    "tickets": "Show what people were told of incidents; try the channels that tell them.",
    "acknowledge": "Take an incident over, so that nobody else is called about it.",
    "guard": "Say why something did not run and when it will; count failures of the fleet.",
    "rings": "Say which rings may run a release, from the evidence of those that run it already.",
    "rehearse": "Break a real machine, see runbooks heal it, and see them fail as they must.",
    "violations": "Break every rule of a fleet on paper, and see each judged a failure.",
    "verify-intent": "Say of every rule of trust whether it holds for a fleet commit.",
    "attest": "Sign approvals, releases, heartbeats and recoveries beside a fleet's commits.",
    "release": "Build what every NixOS host of a commit is to run, and sign its name.",
    "verify": "Audit an evidence repository offline.",
    "evidence": "Push evidence, take it up again, make and look into its repository.",
    "witness": "Vouch for logs that only grew; keep evidence of those that did not.",
    "audit-kit": "Write what an auditor needs for a period, and nothing more.",
    "incidents": "List open incidents: where each is, why, and until when it waits.",
    "explain": "Say what a rule or control is, how it stands, since when, and what shows it.",
    "keys": "Make, change, revoke and show signing keys.",
    "sbom": "Write what a system is made of, as SPDX or CycloneDX, from the Nix database.",
    "advisories": "Turn the report of a vulnerability scanner into a document for people to sign.",
    "store": "Look whether the Nix store holds what its database says.",
    "helper": "Carry out steps as root for a reconciler that does not run as root.",
    "doctor": "Say what this machine lacks for each part of a run.",
}

EXIT_CODES = """\b
Exit codes:
  0  clean: every rule passes, does not apply, or is excepted
  1  drift is left
  2  wrong usage of the command line
  3  no drift, but something could not be observed
  4  the newest desired state was refused; the last accepted one is in force
  5  bad input: a file, a setting or a policy is wrong
  6  evidence is missing, damaged, or cannot be signed
  7  this machine would not do it: disk, network, permission, lock
 70  internal error; please report it
141  whoever read the output went away before it was whole
"""


APPLIANCE_MODULES = ("pydantic", "pygit2", "yaml")
"""Top-level modules of the ``appliance`` extra; ``verify`` and ``keys`` work without them."""


class _Unread(Exception):
    """Whoever read the output went away."""


@contextmanager
def _written() -> Iterator[None]:
    """Name what keeps the output from being written.

    click would turn a pipe that closed into exit code 1, which here says that drift is left.
    """
    try:
        yield
    except BrokenPipeError as error:
        _silence()
        raise _Unread from error
    except OSError as error:
        if error.errno != errno.ENOSPC or error.filename is not None:
            raise
        _silence()
        hint = "Free space there, or write elsewhere."
        raise MachineError(f"cannot write the output: {error.strerror}", hint=hint) from error


def _silence() -> None:
    """What is left of the output goes nowhere: else Python tries once more on its way out."""
    for stream in filter(None, (sys.__stdout__, sys.__stderr__)):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class LazyGroup(click.Group):
    """Imports a command's module when that command is asked for; ``--help`` imports none."""

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """As click does, where also ``--help`` is written."""
        with _written():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        with _written():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order a new user needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in COMMANDS:
            return None
        module = cmd_name.replace("-", "_")
        command: click.Command = import_module(f"reconciler.cli.{module}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    epilog=EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="reconciler")
def cli() -> None:
    """Keep machines in the state that a signed Git repository declares, and prove it.

    \b
    First steps:
      reconciler init DIRECTORY              keys, fleet repository, evidence repository
      reconciler run --once --config DIRECTORY/reconciler.yaml
      reconciler verify DIRECTORY/evidence/example-clinic.git \\
                        --signers DIRECTORY/trust/evidence_signers
    """


def main(argv: list[str] | None = None) -> None:
    """Entry point; turns every named error into a message, a hint and its exit code."""
    sys.exit(execute(argv))


def execute(argv: list[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    try:
        result: Any = cli.main(args=argv, standalone_mode=False)
        with _written():
            if sys.stdout is not None:
                sys.stdout.flush()
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except Exception as error:  # noqa: BLE001 - the last resort names itself and keeps the trace
        try:
            return _say(error)
        except OSError:
            # Nobody can be told; the code still says it.
            sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 - for the rest of the process
            return _say(error)
    return int(result) if isinstance(result, int) else 0


def _say(error: Exception) -> int:
    """Tell a person what is wrong and what to do; returns the exit code it stands for."""
    match error:
        case click.ClickException():
            error.show()
            return int(ExitCode.USAGE)
        case click.Abort():
            click.echo("Interrupted.", err=True)
            return 130
        case _Unread():
            return int(ExitCode.UNREAD)
        case ReconcilerError():
            _complain(str(error), error.hint)
            return int(error.exit_code)
        case ModuleNotFoundError() if error.name in APPLIANCE_MODULES:
            _complain(
                f"this command needs {error.name}, which is not installed",
                "pip install 'reconciler[appliance]'",
            )
            return int(ExitCode.MACHINE)
        case _:
            return _unforeseen(error)


def _complain(message: str, hint: str) -> None:
    click.echo(f"{click.style('error', fg='red', bold=True)}: {message}", err=True)
    click.echo(f"  hint: {hint}", err=True)


def _unforeseen(error: Exception) -> int:
    import traceback

    traceback.print_exception(error)
    message = "internal error; please report it with the trace above (it holds no evidence)"
    click.echo(message, err=True)
    return int(ExitCode.INTERNAL)
