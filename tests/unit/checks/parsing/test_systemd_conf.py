from collections.abc import Mapping

import pytest

from reconciler.checks.parsing.shapes import MAX_INT
from reconciler.checks.parsing.systemd_conf import (
    conf_probes,
    effective,
    settings,
    size,
    timespan_s,
)
from reconciler.errors import Unobservable
from reconciler.model.answer import Answer, Answers
from reconciler.model.probe import Probe, ReadFile, ReadGlob


def answers(files: Mapping[str, str], **denied: str) -> Answers:
    return Answers({probe: _answer(probe, files, set(denied.values())) for probe in PROBES})


PROBES = conf_probes("journald.conf")


def _answer(probe: Probe, files: Mapping[str, str], denied: set[str]) -> Answer:
    if isinstance(probe, ReadFile):
        if probe.path in denied:
            return Answer("denied", reason="permission denied; needs root")
        return Answer("ok", files[probe.path]) if probe.path in files else Answer("absent")
    assert isinstance(probe, ReadGlob)
    directory = probe.pattern.removesuffix("*.conf")
    found = sorted(path for path in files if path.startswith(directory))
    return Answer("ok", [{"path": p, "status": "ok", "text": files[p]} for p in found])


def test_drop_ins_win_over_the_main_file_in_order_of_their_names() -> None:
    given = answers(
        {
            "/etc/systemd/journald.conf": "[Journal]\nStorage=auto\nSystemMaxUse=1G\n",
            "/usr/lib/systemd/journald.conf.d/20-a.conf": "[Journal]\nStorage=persistent\n",
            "/etc/systemd/journald.conf.d/10-b.conf": "[Journal]\nStorage=volatile\n",
        }
    )

    found = settings(given, "journald.conf", "Journal")

    assert found == {"Storage": ("auto", "volatile", "persistent"), "SystemMaxUse": ("1G",)}


def test_a_name_in_etc_hides_the_same_name_elsewhere() -> None:
    given = answers(
        {
            "/usr/lib/systemd/journald.conf.d/10.conf": "[Journal]\nStorage=volatile\n",
            "/run/systemd/journald.conf.d/10.conf": "[Journal]\nStorage=none\n",
            "/etc/systemd/journald.conf.d/10.conf": "",
        }
    )

    assert settings(given, "journald.conf", "Journal") == {}


def test_only_the_first_main_file_counts() -> None:
    given = answers(
        {
            "/usr/lib/systemd/journald.conf": "[Journal]\nStorage=volatile\n",
            "/etc/systemd/journald.conf": "[Journal]\nStorage=persistent\n",
        }
    )

    assert settings(given, "journald.conf", "Journal") == {"Storage": ("persistent",)}


def test_comments_other_sections_and_continued_lines_are_read_as_systemd_reads_them() -> None:
    text = "[Other]\nStorage=none\n[Journal]\n#Storage=a\n;Storage=b\n Storage = c\\\n d\n"
    given = answers({"/etc/systemd/journald.conf": text})

    assert settings(given, "journald.conf", "Journal") == {"Storage": ("c  d",)}


def test_a_main_file_that_may_not_be_read_is_unobservable() -> None:
    with pytest.raises(Unobservable, match="needs root"):
        settings(answers({}, a="/etc/systemd/journald.conf"), "journald.conf", "Journal")


@pytest.mark.parametrize(
    ("assigned", "value"),
    [
        ((), None),
        (("64M",), 64 * 1024**2),
        (("64M", "1G"), 1024**3),
        (("64M", "lots"), 64 * 1024**2),
        (("64M", ""), None),
        (("", "1K"), 1024),
    ],
)
def test_the_last_valid_assignment_is_in_force(
    assigned: tuple[str, ...], value: int | None
) -> None:
    assert effective(assigned, size) == value


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("90day", 90 * 86_400),
        ("1h 30min", 5400),
        ("1.5h", 5400),
        ("2 weeks", 1_209_600),
        ("1month", 2_629_800),
        ("infinity", MAX_INT),
        ("500ms", 0),
        ("", None),
        ("soon", None),
        ("90 fortnights", None),
        ("-1d", None),
        ("9" * 40, None),
    ],
)
def test_time_spans_read_as_systemd_time_says(text: str, seconds: int | None) -> None:
    assert timespan_s(text) == seconds


@pytest.mark.parametrize(
    ("text", "amount"),
    [("512", 512), ("1.5K", 1536), ("2T", 2 * 1024**4), ("10X", None), ("999999999E", MAX_INT)],
)
def test_sizes_count_in_1024(text: str, amount: int | None) -> None:
    assert size(text) == amount
