import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.advise.outgoing import LARGE, Outgoing, hidden_names, rounded

HIDDEN = hidden_names(["smile-dental", "front-desk"], ["Zorro at the service desk"])


def outgoing() -> Outgoing:
    return Outgoing(HIDDEN)


@pytest.mark.parametrize(
    "text",
    [
        "active",
        "not-found",
        "chrony.service",
        "tcp/22",
        "net.ipv4.tcp_syncookies",
        "/etc/ssh/sshd_config",
        "prohibit-password",
    ],
)
def test_words_of_machines_are_shown(text: str) -> None:
    assert outgoing().text(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "gonzalez",
        "mark",
        "may.service",
        "will-long",
        "zorro",
        "smile.service",
        "dental-backup.service",
        "smile-dental.service",
        "/srv/smile-dental",
        "front-desk",
        "not found",
        "active\n",
        "maria@example.org",
        "123-45-6789",
        "12345678",
        "2026-01-02",
        "10.1.2.3",
        "\u0410\u0441tive",
        "a" * 65,
        "service" * 20,
        "/home/alice",
        "0123456789abcdef",
    ],
)
def test_everything_else_has_a_pseudonym(text: str) -> None:
    assert outgoing().text(text) == "text-1"


def test_pseudonyms_are_per_text_and_counted() -> None:
    one = outgoing()
    assert one.value(("gonzalez", "active", "garcia", "gonzalez")) == [
        "text-1", "active", "text-2", "text-1",
    ]  # fmt: skip
    assert one.withheld == 2


def test_a_long_list_is_cut_and_says_how_many_more() -> None:
    assert outgoing().value(tuple(range(20))) == [*range(16), {"more": 4}]


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0, 0), (999_999, 999_999), (268_435_456, 260_000_000), (-5_551_234, -5_500_000)],
)
def test_large_numbers_keep_two_digits(number: int, shown: int) -> None:
    assert outgoing().value(number) == shown


@given(st.integers(min_value=-(2**60), max_value=2**60))
@settings(max_examples=100)
def test_no_number_that_could_be_of_a_person_leaves(number: int) -> None:
    shown = rounded(number)
    assert rounded(shown) == shown
    assert shown == number or (abs(number) >= LARGE and str(shown)[-4:] == "0000")


def test_true_and_nothing_stay_what_they_are() -> None:
    assert outgoing().value(True) is True
    assert outgoing().value(None) is None


def test_a_sentence_keeps_its_known_words() -> None:
    assert outgoing().sentence("Start the time service") == "Start the time service"
    said = outgoing().sentence("Restart the service of Gonzalez at Smile")
    assert "Gonzalez" not in said
    assert "Smile" not in said
    assert said.startswith("Restart the service of")


@given(st.text(min_size=1, max_size=80))
@settings(max_examples=200)
def test_what_is_shown_is_one_plain_word(text: str) -> None:
    shown = outgoing().text(text)
    assert shown == "text-1" or (
        shown == text and text.isascii() and text.isprintable() and " " not in text
    )
