import pytest

from tests.support.rigs import rig


def test_rig_that_is_there_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECONCILER_RIGS", "required")
    assert rig("systemd guest", None) is None


def test_missing_rig_is_skipped_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RECONCILER_RIGS", raising=False)
    with pytest.raises(pytest.skip.Exception, match="systemd guest: not root"):
        rig("systemd guest", "not root")


def test_missing_rig_is_a_failure_where_rigs_are_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECONCILER_RIGS", "required")
    with pytest.raises(pytest.fail.Exception, match="systemd guest: not root"):
        rig("systemd guest", "not root")
