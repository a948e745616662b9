import click
import pytest

from reconciler import cli
from reconciler.errors import ExitCode, InputError, IntentRefused, Where


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (
            InputError("is wrong", hint="Mend it.", where=Where("a.yaml", 3, "id")),
            ExitCode.INPUT,
            "error: a.yaml:3: id: is wrong\n  hint: Mend it.\n",
        ),
        (
            IntentRefused("is unsigned", hint="Sign it.", reason="unsigned"),
            ExitCode.REFUSED,
            "error: is unsigned\n  hint: Sign it.\n",
        ),
        (ModuleNotFoundError("x", name="pygit2"), ExitCode.MACHINE, "reconciler[appliance]"),
        (click.UsageError("no such option"), ExitCode.USAGE, "no such option"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_named_error_has_its_message_and_code(
    error: Exception,
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(cli.cli, "main", fail)

    assert cli.execute([]) == code
    err = capsys.readouterr().err
    assert said in err
    assert "Traceback" not in err


def test_an_error_without_a_name_keeps_its_trace_and_is_told_apart(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_: object) -> None:
        raise ModuleNotFoundError("No module named 'other'", name="other")

    monkeypatch.setattr(cli.cli, "main", fail)

    assert cli.execute([]) == ExitCode.INTERNAL
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "please report it" in err
