"""The eighteen identifiers of 45 CFR 164.514(b)(2)(i), each planted in what a machine may say."""

import json
import re
from pathlib import Path

import pytest

from reconciler.evidence.bodies import finding_body
from reconciler.model.identifiers import ALL, spans
from reconciler.model.scrub import scrub, scrub_value
from reconciler.model.values import Value
from tests.support.desired_states import make_finding

KINDS = json.loads(
    (Path(__file__).resolve().parents[2] / "vectors/scrub/identifiers.json").read_text()
)
CARRIERS = (
    "{}",
    "no such file: {}",
    "restic exited with 1: {}: permission denied",
    "cannot open /srv/{}; see the log",
    "line 7: the value '{}' is not a number",
)
NAMES = {"maria", "gonzalez", "springfield", "maple", "sangamon", "müller", "гонсалес"}
PLANTED = [(kind["letter"], one) for kind in KINDS for one in kind["planted"]]
VALUES = [(kind["letter"], one) for kind in KINDS for one in kind["values"]]


def pieces(planted: str) -> list[str]:
    """What of a planted identifier would say whom it is about."""
    parts = re.split(r"[\s,<>]+", planted)
    found = [part for part in parts if len(part) > 4 and re.search(r"[0-9@]", part)]
    names = [part for part in parts if part.lower().strip("/") in NAMES]
    return found + names or [planted]


def test_every_one_of_the_eighteen_has_its_vectors() -> None:
    assert [kind["letter"] for kind in KINDS] == list("ABCDEFGHIJKLMNOPQR")
    assert all(kind["planted"] and kind["values"] for kind in KINDS)


@pytest.mark.parametrize(("letter", "planted"), PLANTED, ids=lambda one: one[:30])
def test_none_is_left_of_a_free_text_and_it_is_counted(letter: str, planted: str) -> None:
    for carrier in CARRIERS:
        said = scrub(carrier.format(planted))
        left = [piece for piece in pieces(planted) if piece.lower() in said.lower()]
        assert left == [], (letter, said)
        assert re.search(r"\[withheld: [1-9][0-9]* words? ", said), said
        assert scrub(said) == said


@pytest.mark.parametrize(("letter", "planted"), VALUES, ids=lambda one: one[:30])
def test_none_is_left_of_an_observed_value(letter: str, planted: str) -> None:
    for value in (planted, ("active", planted, "/etc/ssh")):
        kept = scrub_value(value)
        shown = " ".join(kept) if isinstance(kept, tuple) else str(kept)
        left = [piece for piece in pieces(planted) if piece.lower() in shown.lower()]
        assert left == [], (letter, kept)
        assert scrub_value(kept) == kept


@pytest.mark.parametrize(("letter", "planted"), VALUES, ids=lambda one: one[:30])
def test_none_is_left_of_a_finding_before_it_is_signed(letter: str, planted: str) -> None:
    observed: dict[str, Value] = {"name": planted, "names": (planted,)}
    body = finding_body(make_finding(observed=observed, reason=f"not as wanted: {planted}"))

    text = json.dumps(body, ensure_ascii=False).lower()
    assert [piece for piece in pieces(planted) if piece.lower() in text] == [], letter


@pytest.mark.parametrize(
    "value",
    [
        "ed25519",
        "ssh-ed25519",
        "4096 131072 33554432",
        "250 32000 32 128",
        "tcp/22 ssh.service",
        "-w /etc/passwd -p wa -k identity",
        "-a always,exit -F arch=b64 -S adjtimex,settimeofday -k time-change",
        "aes256-gcm@openssh.com",
        "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
        "net.ipv4.tcp_syncookies=1",
        "inactive",
        "certificate-valid",
        "serial-getty@tty1.service",
        "account-expiry.timer",
        "policy-routing.service",
    ],
)
def test_what_machines_are_called_is_no_identifier(value: str) -> None:
    assert scrub_value(value) == value


def test_a_kind_that_people_are_told_of_has_a_form() -> None:
    assert all(what and list(spans("", ((what, pattern),))) == [] for what, pattern in ALL)
