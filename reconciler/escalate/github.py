"""A ticket as a GitHub issue: made once, then commented on, closed when its incident has ended.

Rule 1: The issue is found again by a mark in its text, so that a kill between making it and writing
        its number down does not make a second one. The mark is an HMAC with the token: nobody who
        may write in the repository can make one that this machine would take for its own.
Rule 2: A comment carries the id of its message; a second try looks whether it is there.
Rule 3: What GitHub answers is numbers and marks; nothing else of it is used.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reconciler.escalate.message import Arrived, Lost, Message, Result

if TYPE_CHECKING:
    import httpx

PAGE = 30
PAGES = 5
"""How far back an issue is looked for: 150 of the newest. Its number is known by then."""
_MOST_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class GitHub:
    """A repository for issues.

    Attributes:
        api: Vetted address of the API.
        repository: ``owner/name``.
        token: With the right to write issues.
        labels: Put on each issue.
        ca_file: PEM file of the only authorities to trust; None for the public ones.
    """

    api: str
    repository: str
    token: str
    labels: tuple[str, ...] = ()
    ca_file: str | None = None


def send(github: GitHub, message: Message, timeout_s: float) -> Result:
    """Make the issue, or say it in the one there is."""
    from reconciler.escalate import http  # noqa: PLC0415 - lazy: httpx

    asking = http.client(github.ca_file, timeout_s)
    if isinstance(asking, Lost):
        return asking
    with asking:
        try:
            return _Desk(github, message, asking).handle()
        except _Stop as stop:
            return stop.lost


class _Stop(Exception):
    """GitHub did not do it."""

    def __init__(self, lost: Lost) -> None:
        super().__init__(lost.code)
        self.lost = lost


@dataclass(frozen=True, slots=True)
class _Desk:
    github: GitHub
    message: Message
    asking: "httpx.Client"

    def handle(self) -> Result:
        message = self.message
        issue = self._known() or self._found()
        if issue is None:
            # Nobody heard of it, so nobody has to hear that it is over.
            return Arrived() if message.phase == "closed" else Arrived(self._make())
        number = _number(issue)
        if not self._said(issue):
            said = {"body": self._marked(message.markdown)}
            self._ask("POST", f"issues/{number}/comments", said)
        state = "closed" if message.phase == "closed" else "open"
        if issue.get("state") != state:
            self._ask("PATCH", f"issues/{number}", {"state": state})
        return Arrived(number)

    def _known(self) -> Mapping[str, Any] | None:
        """The issue whose number the ledger has, if it is still there."""
        if self.message.reference is None:
            return None
        try:
            issue = self._ask("GET", f"issues/{self.message.reference}")
        except _Stop as stop:
            if stop.lost.code != "not-found":
                raise
            return None
        return issue if self._is_ours(issue) else None

    def _found(self) -> Mapping[str, Any] | None:
        for page in range(1, PAGES + 1):
            issues = list(self._list(f"issues?state=all&sort=created&per_page={PAGE}&page={page}"))
            for issue in issues:
                if self._is_ours(issue):
                    return issue
            if len(issues) < PAGE:
                return None
        return None

    def _make(self) -> int:
        github, message = self.github, self.message
        issue = {"title": message.title, "body": self._marked(message.markdown)}
        return _number(self._ask("POST", "issues", issue | {"labels": list(github.labels)}))

    def _said(self, issue: Mapping[str, Any]) -> bool:
        """Whether this very message is there already."""
        if self._mark(self.message.id) in _text(issue):
            return True
        if not self.message.again:
            return False
        count = issue.get("comments")
        # Comments come oldest first; the last page is where a second try finds the first.
        last = 1 + max(count - 1, 0) // PAGE if type(count) is int else 1
        path = f"issues/{_number(issue)}/comments?per_page={PAGE}&page={last}"
        return any(self._mark(self.message.id) in _text(one) for one in self._list(path))

    def _is_ours(self, issue: Mapping[str, Any]) -> bool:
        return "pull_request" not in issue and self._mark(self.message.key) in _text(issue)

    def _marked(self, markdown: str) -> str:
        marks = (self._mark(self.message.key), self._mark(self.message.id))
        return "\n".join((markdown, *marks, ""))

    def _mark(self, name: str) -> str:
        about = f"{self.message.target} {name}".encode()
        mac = hmac.new(self.github.token.encode(), about, hashlib.sha256).hexdigest()
        return f"<!-- reconciler {mac[:40]} -->"

    def _list(self, path: str) -> Iterator[Mapping[str, Any]]:
        for one in self._value("GET", path, None, lambda value: isinstance(value, list)):
            if isinstance(one, Mapping):
                yield one

    def _ask(self, method: str, path: str, said: Any = None) -> Mapping[str, Any]:
        found = self._value(method, path, said, lambda value: isinstance(value, Mapping))
        return dict(found)

    def _value(self, method: str, path: str, said: Any, is_good: Callable[[Any], bool]) -> Any:
        from reconciler.escalate import http  # noqa: PLC0415 - lazy: httpx

        request = http.Request(
            method,
            f"{self.github.api}/repos/{self.github.repository}/{path}",
            b"" if said is None else json.dumps(said).encode(),
            {
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {self.github.token}",
                "Content-Type": "application/json",
                "X-GitHub-Api-Version": "2022-11-28",
            },
            _MOST_BYTES,
        )
        reply = http.exchange(self.asking, request)
        if isinstance(reply, Lost):
            raise _Stop(reply)
        try:
            value = json.loads(reply.content)
        except (ValueError, RecursionError) as error:
            raise _Stop(Lost("broken")) from error
        if not is_good(value):
            raise _Stop(Lost("broken"))
        return value


def _number(issue: Mapping[str, Any]) -> int:
    number = issue.get("number")
    if type(number) is not int or not 0 < number < 2**31:
        raise _Stop(Lost("broken"))
    return number


def _text(said: Mapping[str, Any]) -> str:
    body = said.get("body")
    return body if isinstance(body, str) else ""
