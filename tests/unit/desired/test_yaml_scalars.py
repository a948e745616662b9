import pytest

from reconciler.desired.yaml_scalars import LARGEST_INTEGER, plain


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("0", 0),
        ("-17", -17),
        (str(LARGEST_INTEGER), LARGEST_INTEGER),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("2026-01-31", "2026-01-31"),
        ("22:30", "22:30"),
        ("190:20:30", "190:20:30"),
        ("1.0.0", "1.0.0"),
        ("~/.ssh", "~/.ssh"),
        ("0750 root", "0750 root"),
        ("192.0.2.1", "192.0.2.1"),
        ("e5", "e5"),
        ("=", "="),
    ],
)
def test_what_every_reader_reads_alike_is_read(text, value):
    read = plain(text)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "~",
        "True",
        "TRUE",
        "False",
        "FALSE",
        "Null",
        "NULL",
        "0600",
        "00",
        "+5",
        "1_000",
        "0x1F",
        "0o17",
        "0b11",
        "1.5",
        ".5",
        "1.",
        "1e3",
        "12e03",
        "-1.5E-3",
        ".inf",
        "-.INF",
        ".nan",
        str(LARGEST_INTEGER + 1),
        "9" * 5000,
    ],
)
def test_what_readers_disagree_on_is_refused(text):
    with pytest.raises(ValueError, match=r"write|quotes"):
        plain(text)


def test_a_refusal_does_not_repeat_a_long_value():
    with pytest.raises(ValueError, match="quotes") as refused:
        plain("9" * 5000)
    assert len(str(refused.value)) < 200
