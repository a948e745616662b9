"""Failed log-ins over SSH within the last hour: how many, and from how many places.

Only messages that systemd itself attributes to the SSH server's unit are read (any user can write
a line that looks like sshd's, but not into its unit). One connection with a refused user and a
refused password is one attempt. Addresses and names never leave this parser.

Source: 45 CFR 164.308(a)(5)(ii)(C), 164.308(a)(6)(ii); NIST SP 800-53 AC-7; journalctl(1).
"""

from reconciler.checks.parsing.journal_header import IN_MEMORY, ON_DISK, require_readable
from reconciler.checks.parsing.records import from_json, record
from reconciler.checks.parsing.shapes import command, refuse, units
from reconciler.checks.parsing.sshd_log import count
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, NotApplicable, Values
from reconciler.model.probe import Command, Probe, UnitStatus
from reconciler.model.values import Params

LINES = 4000
"""Newest lines that are read: many times the threshold, and an upper bound under attack."""

SERVERS = UnitStatus(("ssh.service", "sshd.service", "ssh.socket", "sshd.socket"))
ENTRIES = Command(
    (
        "journalctl",
        "--unit=ssh.service",
        "--unit=sshd.service",
        "--unit=ssh@*.service",
        "--unit=sshd@*.service",
        "--since=-1h",
        f"--lines={LINES}",
        "--output=json",
        "--output-fields=MESSAGE",
        "--no-pager",
    ),
    limit=8 * 1024 * 1024,
)


def _messages(answers: Answers) -> list[str]:
    """Messages, oldest first."""
    require_readable(answers)
    ran = command(answers, ENTRIES)
    if ran.exit != 0 or ran.stderr.strip():
        refuse(ENTRIES, f"journalctl did not see everything (exit {ran.exit})")
    entries = [
        record(from_json(line, "journal entry"), "journal entry") for line in _lines(ran.stdout)
    ]
    # A message with bytes that are not UTF-8 comes as a list; sshd escapes what users send.
    return [message for e in entries if isinstance(message := e.fields.get("MESSAGE"), str)]


def _lines(stdout: str) -> list[str]:
    return [line for line in stdout.split("\n") if line]


def _parse(_params: Params, answers: Answers) -> Values | NotApplicable:
    """Count; where no SSH server was ever installed, nobody can fail to log in over it."""
    if answers.raw(SERVERS).status == "ok":
        servers = units(answers, SERVERS).values()
        if all(unit.load_state == "not-found" for unit in servers):
            return NotApplicable("no SSH server is installed")
    messages = _messages(answers)
    seen = count(messages)
    return {
        "failures": seen.failures,
        "sources": seen.sources,
        "worst_source": seen.worst_source,
        "accepted_after_failures": seen.accepted_after_failures,
        "cut": len(messages) >= LINES,
    }


def _probes(_params: Params) -> tuple[Probe, ...]:
    """The SSH server's messages, whether the journal can be read, and whether a server is."""
    return (ENTRIES, ON_DISK, IN_MEMORY, SERVERS)


CHECK = Check(
    id="LNX-LOGIN-001",
    title="Failed log-ins stay under threshold",
    platforms=frozenset({"linux", "nixos"}),
    source="45 CFR 164.308(a)(5)(ii)(C); SP 800-53 AC-7; journalctl(1)",
    fields={
        "failures": Field("int", "Failed attempts within the last hour."),
        "sources": Field("int", "How many addresses they came from."),
        "worst_source": Field("int", "Failed attempts of the busiest address."),
        "accepted_after_failures": Field(
            "int", "Addresses with five or more failures, then let in by a password."
        ),
        "cut": Field("bool", f"Whether only the newest {LINES} lines were counted."),
    },
    probes=_probes,
    parse=_parse,
)
