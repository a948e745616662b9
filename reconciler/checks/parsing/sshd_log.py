"""What sshd's messages say about failed log-ins, as numbers only.

Source: OpenSSH auth.c (auth_log, "Invalid user"), packet.c (sshpkt_vfatal: "Connection closed by
authenticating user"); messages are the same from 7.4 to 9.9. The user's name is the client's
choice and may hold " from 192.0.2.1 port 22", so patterns are anchored at the end.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

GUESSES = 5
"""Failures after which a success looks like a guessed password rather than a slip."""

_FROM = r"from (\S+) port ([0-9]+)"
_REFUSED = re.compile(
    rf"Failed (?:password|keyboard-interactive/pam|hostbased) for .* {_FROM}(?: ssh2)?"
)
_STRANGER = re.compile(rf"Invalid user .*{_FROM}")
_GAVE_UP = re.compile(
    r"(?:Connection (?:closed|reset) by|Disconnected from) "
    r"(?:authenticating|invalid) user .* (\S+) port ([0-9]+)(?: \[preauth\])?"
)
# A key cannot be guessed, so only what a person types counts.
_ACCEPTED = re.compile(rf"Accepted (?:password|keyboard-interactive/pam) for .* {_FROM}(?: ssh2)?")

_Connection = tuple[str, str]


@dataclass(frozen=True, slots=True)
class LogIns:
    """Counts of failed attempts; see the fields of LNX-LOGIN-001."""

    failures: int
    sources: int
    worst_source: int
    accepted_after_failures: int


def count(messages: Iterable[str]) -> LogIns:
    """Count the attempts in messages, which come oldest first."""
    refusals: Counter[_Connection] = Counter()
    met: dict[_Connection, None] = {}
    let_in: set[str] = set()
    for message in messages:
        if refused := _REFUSED.fullmatch(message):
            refusals[_connection(refused)] += 1
            met[_connection(refused)] = None
        elif failed := _STRANGER.fullmatch(message) or _GAVE_UP.fullmatch(message):
            met[_connection(failed)] = None
        elif accepted := _ACCEPTED.fullmatch(message):
            guesses = _by_source(met, refusals)[accepted[1]]
            let_in |= {accepted[1]} if guesses >= GUESSES else set()
    by_source = _by_source(met, refusals)
    return LogIns(
        failures=by_source.total(),
        sources=len(by_source),
        worst_source=max(by_source.values(), default=0),
        accepted_after_failures=len(let_in),
    )


def _connection(match: re.Match[str]) -> _Connection:
    return match[1], match[2]


def _by_source(met: Iterable[_Connection], refusals: Counter[_Connection]) -> Counter[str]:
    """Attempts of each address: as many as were refused, and at least one a connection."""
    by_source: Counter[str] = Counter()
    for connection in met:
        by_source[connection[0]] += max(1, refusals[connection])
    return by_source
