from reconciler.model.finding import Finding, Status
from reconciler.report import table


def finding(rule: str, status: Status, **more: object) -> Finding:
    fields: dict[str, object] = {
        "check": "LNX-X-001",
        "target": "c/h",
        "severity": "high",
        "controls": ("hipaa:164.312(b)", "hipaa:164.312(d)"),
        "observed": {"mode": "0644", "owner": "root"},
        "expected": {"mode": "0600", "owner": "root"},
    }
    return Finding(rule=rule, status=status, **(fields | more))  # type: ignore[arg-type]


def test_the_worst_comes_first_and_every_rule_has_a_line() -> None:
    findings = [
        finding("a", "not_applicable", reason="no sshd"),
        finding("b", "pass"),
        finding("c", "excepted"),
        finding("d", "unknown", reason="needs root"),
        finding("e", "fail", failed=("mode",)),
    ]

    rows = [line.split() for line in table.render(findings).splitlines()[1:]]

    assert [row[0] for row in rows] == ["e", "d", "c", "b", "a"]
    assert [row[1] for row in rows] == ["fail", "unknown", "excepted", "pass", "not_applicable"]


def test_a_failing_rule_shows_only_what_fails() -> None:
    line = table.render([finding("e", "fail", failed=("mode",))]).splitlines()[1]

    assert "mode=0644" in line
    assert "mode: 0600" in line
    assert "owner" not in line
    assert "164.312(b)" in line


def test_an_unknown_shows_its_reason_and_no_value() -> None:
    line = table.render([finding("d", "unknown", reason="needs root")]).splitlines()[1]

    assert "needs root" in line
    assert "0644" not in line


def test_text_from_a_machine_cannot_drive_the_terminal() -> None:
    evil = "\x1b[2Jgone\r\n\u202eevil\x00"
    out = table.render([finding("d", "fail", observed={"mode": evil}, failed=("mode",))])

    assert "\x1b" not in out
    assert "\r" not in out
    assert len(out.splitlines()) == 2


def test_long_values_are_cut_with_a_mark() -> None:
    line = table.render([finding("d", "unknown", reason="x" * 500)], width=100).splitlines()[1]

    assert "…" in line
    assert len(line) < 200


def test_colour_only_when_asked() -> None:
    findings = [finding("e", "fail", failed=("mode",))]

    assert "\x1b[31mfail" in table.render(findings, colour=True)
    assert "\x1b" not in table.render(findings)


def test_the_summary_counts_every_status_with_its_denominator() -> None:
    findings = [finding("a", "pass"), finding("b", "unknown", reason="x"), finding("c", "pass")]

    assert table.summary(findings) == (
        "3 rules: 0 fail, 1 unknown, 0 excepted, 2 pass, 0 not applicable"
    )


def test_values_are_shown_as_people_say_them() -> None:
    assert [table.show(v) for v in (None, True, 7, "x", ("a", "b"), ())] == [
        "absent", "true", "7", "x", "[a, b]", "[]",
    ]  # fmt: skip
