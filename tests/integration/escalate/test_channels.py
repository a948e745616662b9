"""Each channel against a real receiver: what arrives, twice at most, and what a bad one costs."""

import json
import logging
import stat
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.escalate import by_apprise, file, github, webhook
from reconciler.escalate.by_apprise import ByApprise
from reconciler.escalate.file import Shelf, names_of
from reconciler.escalate.github import GitHub
from reconciler.escalate.message import Arrived, Lost, Message
from reconciler.escalate.post import Channel, post, usable
from reconciler.escalate.webhook import Webhook
from reconciler.testing.webhook import is_genuine
from tests.support.loopback_http import serve
from tests.support.receivers import FakeGitHub, Inbox, mail_server, serving
from tests.support.tls import self_signed

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]

SECRET, TOKEN = "webhook-secret", "ghp_token"
NOW = 1_772_442_000


def make_message(**changes: Any) -> Message:
    fields: dict[str, Any] = {
        "id": "a" * 64,
        "key": "0123456789ab-1",
        "phase": "opened",
        "target": "clinic/frontdesk",
        "title": "clinic/frontdesk: time (medium) needs a person",
        "markdown": "# It drifts\n",
        "text": "It drifts, on frontdesk\n",
        "document": {"rule": "time"},
        "at": NOW,
    }
    return Message(**(fields | changes))


# Webhook


def test_a_webhook_arrives_signed_and_says_which_message_it_is() -> None:
    inbox = Inbox()
    with serving(inbox) as url:
        desk = Channel("desk", Webhook(f"{url}/hook", SECRET), 5, 20)
        assert post(desk, make_message()) == Arrived()

    ((headers, body),) = inbox.came
    assert is_genuine(SECRET.encode(), headers["Reconciler-Signature"], body, NOW + 5)
    assert headers["Idempotency-Key"] == "a" * 64 == json.loads(body)["id"]
    assert json.loads(body)["ticket"] == {"rule": "time"}
    assert SECRET.encode() not in body


def test_a_receiver_tells_what_is_forged_changed_or_old() -> None:
    body = webhook.body_of(make_message())
    header = webhook.sign(SECRET.encode(), NOW, body)

    assert is_genuine(SECRET.encode(), header, body, NOW)
    assert not is_genuine(b"another", header, body, NOW)
    assert not is_genuine(SECRET.encode(), header, body + b" ", NOW)
    assert not is_genuine(SECRET.encode(), header, body, NOW + 301)
    assert not is_genuine(SECRET.encode(), header, body, NOW - 301)
    later = header.replace(str(NOW), str(NOW + 900))
    assert not is_genuine(SECRET.encode(), later, body, NOW + 900)
    for bad in ("", "t=,v1=", f"{header},v1=" + "0" * 64, header.upper(), f"t={'9' * 40},v1=00"):
        assert not is_genuine(SECRET.encode(), bad, body, NOW)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (301, "moved"),
        (401, "auth-failed"),
        (404, "not-found"),
        (413, "too-large"),
        (422, "refused"),
        (429, "failing"),
        (503, "failing"),
    ],
)
def test_what_a_receiver_answers_is_one_of_few_codes(status: int, code: str) -> None:
    with serving(Inbox(status)) as url:
        assert webhook.send(Webhook(url, SECRET), make_message(), 5) == Lost(code)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("hang", "timeout"),
        ("flood", "broken"),
        ("broken", "unreachable"),
        ("escape", "unreachable"),
        ("redirect", "moved"),
    ],
)
def test_a_bad_server_costs_little_and_says_nothing(how: str, code: str) -> None:
    inbox = Inbox()
    with serve(lambda *_: (200, b"")) as server, serving(inbox) as elsewhere:
        server.misbehave, server.elsewhere = how, elsewhere
        begun = time.monotonic()
        result = webhook.send(Webhook(server.url, SECRET), make_message(), 0.5)

    assert result == Lost(code)  # type: ignore[arg-type]
    assert time.monotonic() - begun < 5
    assert inbox.came == [], "a redirect is not followed"


def test_a_server_that_drips_for_ever_is_ended_from_outside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("reconciler.escalate.post.START_S", 3.0)
    with serve(lambda *_: (200, b"")) as server:
        server.misbehave = "drip"
        begun = time.monotonic()
        result = post(Channel("desk", Webhook(server.url, SECRET), 1, 20), make_message())

    assert result == Lost("timeout")
    assert time.monotonic() - begun < 10


def test_nobody_there_and_a_certificate_of_nobody(tmp_path: Path) -> None:
    with serving(Inbox()) as url:
        gone = url
    assert webhook.send(Webhook(gone, SECRET), make_message(), 2) == Lost("unreachable")
    certificate = self_signed(tmp_path)
    with serve(lambda *_: (200, b""), str(certificate)) as server:
        pinned = Webhook(server.url, SECRET, str(certificate))
        assert webhook.send(Webhook(server.url, SECRET), make_message(), 2) == Lost(
            "bad-certificate"
        )
        assert webhook.send(pinned, make_message(), 2) == Arrived()
    absent = Webhook(server.url, SECRET, str(tmp_path / "absent"))
    assert webhook.send(absent, make_message(), 2) == Lost("misconfigured")


# GitHub


def test_an_issue_is_made_once_then_commented_then_closed() -> None:
    hub = FakeGitHub(TOKEN)
    with serving(hub) as api:
        way = GitHub(api, "msp/tickets", TOKEN, ("reconciler",))
        first = make_message()
        assert post(Channel("hub", way, 5, 20), first) == Arrived(1)
        again = replace(first, again=True)
        assert github.send(way, again, 5) == Arrived(1), "killed before the number was written"
        later = make_message(id="b" * 64, phase="step", reference=1)
        assert github.send(way, later, 5) == Arrived(1)
        assert github.send(way, replace(later, again=True), 5) == Arrived(1)
        end = make_message(id="c" * 64, phase="closed", reference=1)
        assert github.send(way, end, 5) == Arrived(1)
        assert github.send(way, replace(end, again=True), 5) == Arrived(1)

    (issue,) = hub.issues
    assert (issue["state"], issue["labels"]) == ("closed", ["reconciler"])
    assert len(hub.comments) == 2
    assert TOKEN not in json.dumps([hub.issues, hub.comments])


@pytest.mark.parametrize("lost", ["POST /repos/msp/tickets/issues/1/comments"])
def test_an_answer_that_is_lost_makes_no_second_comment(lost: str) -> None:
    hub = FakeGitHub(TOKEN)
    with serving(hub) as api:
        way = GitHub(api, "msp/tickets", TOKEN)
        github.send(way, make_message(), 5)
        step = make_message(id="b" * 64, phase="step", reference=1)
        hub.fail[f"after {lost}"] = 502
        assert github.send(way, step, 5) == Lost("failing")
        hub.fail.clear()
        assert github.send(way, replace(step, again=True), 5) == Arrived(1)

    assert len(hub.comments) == 1


def test_an_issue_is_found_by_its_mark_also_far_back_and_nobody_else_can_make_one() -> None:
    hub = FakeGitHub(TOKEN)
    with serving(hub) as api:
        way = GitHub(api, "msp/tickets", TOKEN)
        github.send(way, make_message(), 5)
        hub.issues += [{"number": n, "body": "other", "state": "open"} for n in range(2, 100)]
        again = make_message(id="b" * 64, phase="step", again=True)
        assert github.send(way, again, 5) == Arrived(1)

        forged = GitHub(api, "msp/tickets", "another token")
        mark = github._Desk(forged, make_message(key="other-1"), None)._marked("x")  # type: ignore[arg-type]
        hub.issues.append({"number": 100, "body": mark, "state": "open", "comments": 0})
        assert github.send(way, make_message(key="other-1", id="d" * 64), 5) == Arrived(101)


def test_an_issue_that_was_closed_by_hand_is_opened_again_and_a_deleted_one_made_anew() -> None:
    hub = FakeGitHub(TOKEN)
    with serving(hub) as api:
        way = GitHub(api, "msp/tickets", TOKEN)
        github.send(way, make_message(), 5)
        hub.issues[0]["state"] = "closed"
        github.send(way, make_message(id="b" * 64, phase="step", reference=1), 5)
        assert hub.issues[0]["state"] == "open"

        hub.issues.clear()
        step = make_message(id="d" * 64, phase="step", reference=1)
        assert github.send(way, step, 5) == Arrived(1)
        hub.issues.clear()
        end = make_message(id="e" * 64, phase="closed", reference=1)
        assert github.send(way, end, 5) == Arrived()
        assert hub.issues == []


@pytest.mark.parametrize(
    "said", [b"", b"[", b"[]", b'{"number": true}', b'{"number": -1}', b'{"number": "1"}', b"[1]"]
)
def test_nonsense_from_github_is_a_broken_channel(said: bytes) -> None:
    with serve(lambda method, *_: (200, b"[]" if method == "GET" else said)) as server:
        way = GitHub(server.url, "msp/tickets", TOKEN)
        assert github.send(way, make_message(), 5) == Lost("broken")


def test_a_wrong_token_is_said_without_it() -> None:
    with serving(FakeGitHub(TOKEN)) as api:
        way = GitHub(api, "msp/tickets", "wrong-token")
        assert post(Channel("hub", way, 5, 20), make_message()) == Lost("auth-failed")


# Mail, by apprise


def test_a_mail_arrives_as_plain_text(capfd: pytest.CaptureFixture[str]) -> None:
    with mail_server() as server:
        desk = Channel("desk", ByApprise(server.url), 10, 20)
        assert post(desk, make_message()) == Arrived()
        ((recipients, mail),) = server.mails
        said = "".join(
            str(part.get_payload(decode=True), "utf-8")
            for part in mail.walk()
            if part.get_content_type() == "text/plain"
        )
        assert "desk@msp.example" in recipients[0]
        assert "It drifts, on frontdesk" in said
        assert "message aaaaaaaaaaaaaaaa" in said
        assert "needs a person" in str(mail["Subject"])

        server.rejects = True
        assert post(desk, make_message()) == Lost("failing")

    assert "msp.example" not in "".join(capfd.readouterr()), "the URL is a secret"
    assert usable(ByApprise("jsons://desk.example/hook"))
    assert not usable(ByApprise("json://desk.example/hook"))


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("mailtos://user:pass@mail.example?from=a@b.example&to=c@d.example", True),
        ("mailto://user:pass@mail.example?from=a@b.example&to=c@d.example", False),
        ("mailtos://user:pass@mail.example?from=a@b.example&verify=no", False),
        ("mailto://127.0.0.1:25?from=a@b.example&to=c@d.example", True),
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#desk", True),
        ("json://desk.example/hook", False),
        ("jsons://desk.example/hook", True),
        ("nosuch://desk", False),
        ("nothing", False),
    ],
)
def test_what_would_go_in_the_clear_is_not_sent(url: str, wanted: bool) -> None:
    try:
        assert by_apprise.usable(url) is wanted
    finally:
        logging.disable(logging.NOTSET)


# Files


def test_two_files_appear_whole_and_a_second_try_changes_their_content_only(tmp_path: Path) -> None:
    shelf = Channel("shelf", Shelf(str(tmp_path)), 5, 20)
    assert post(shelf, make_message()) == Arrived()
    assert post(shelf, make_message(markdown="# Twice\n", again=True)) == Arrived()

    markdown, document = names_of(make_message())
    assert {one.name for one in tmp_path.iterdir()} == {markdown, document}
    assert (tmp_path / markdown).read_text() == "# Twice\n"
    assert json.loads((tmp_path / document).read_text())["ticket"] == {"rule": "time"}
    assert stat.S_IMODE((tmp_path / markdown).stat().st_mode) & 0o007 == 0


def test_a_name_cannot_leave_the_directory_and_a_link_is_not_followed(tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    evil = make_message(key="../../evil", target="a/../b")
    assert file.write(Shelf(str(shelf)), evil) == Arrived()
    assert [one.name for one in tmp_path.iterdir()] == ["shelf"]
    assert all("/" not in name for name in names_of(evil))

    markdown, _ = names_of(make_message())
    (shelf / f".{markdown}.new").symlink_to(tmp_path / "victim")
    assert file.write(Shelf(str(shelf)), make_message()) == Lost("local")
    assert not (tmp_path / "victim").exists()


def test_a_directory_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    assert file.write(Shelf(str(tmp_path / "no")), make_message()) == Lost("misconfigured")
    assert not (tmp_path / "no").exists()
