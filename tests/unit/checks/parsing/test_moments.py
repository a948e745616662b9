import pytest

from reconciler.checks.parsing.moments import unix_s
from reconciler.errors import Unobservable


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-11-23T02:42:52.698078719Z", 1_795_401_772),
        ("2026-11-23T02:42:52+00:00", 1_795_401_772),
        ("2026-11-22T21:42:52.5-05:00", 1_795_401_772),
        ("1969-12-31T23:59:59Z", -1),
    ],
)
def test_a_moment_is_whole_unix_seconds(text: str, seconds: int) -> None:
    assert unix_s(text, "moment") == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-11-23 02:42:52Z",
        "2026-11-23T02:42:52",
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-11-23T02:42:52.Z",
        "٢٠٢٦-11-23T02:42:52Z",
        "2026-11-23T02:42:52Z\n",
    ],
)
def test_anything_else_is_unobservable(text: str) -> None:
    with pytest.raises(Unobservable, match="moment"):
        unix_s(text, "moment")
