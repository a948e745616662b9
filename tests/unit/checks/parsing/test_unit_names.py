import pytest

from reconciler.checks.parsing.unit_names import reportable
from reconciler.errors import Unobservable


@pytest.mark.parametrize(
    "unit",
    ["ssh.service", "restic-backups-nightly.timer", "getty@tty1.service", r"a\x2db.socket"],
)
def test_a_name_that_an_administrator_chose_is_told(unit: str) -> None:
    assert reportable(unit) == unit


@pytest.mark.parametrize(
    ("unit", "told"),
    [
        (r"media-SMITH\x20JOHN\x201950.mount", "*.mount"),
        ("session-3.scope", "*.scope"),
        ("dev-sda1.device", "*.device"),
        ("naïve patient.mount", "*.mount"),
    ],
)
def test_a_name_made_from_a_path_is_not_told(unit: str, told: str) -> None:
    assert reportable(unit) == told


@pytest.mark.parametrize("unit", ["", "ssh", "ssh.exe", "a b.service", "../x.service", "\n.timer"])
def test_what_is_no_unit_is_unobservable(unit: str) -> None:
    with pytest.raises(Unobservable, match="not the name of a unit"):
        reportable(unit)
