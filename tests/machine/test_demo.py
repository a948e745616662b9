"""`make demo` keeps its promise, and says what is missing where it cannot."""

import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location

import pytest

from tests.support.image import PROJECT, Image
from tests.support.leftovers import RIG_ROOT

DEMO = PROJECT / "ci/demo.py"


def test_demo_heals_what_it_breaks_and_proves_it(rootfs: Image) -> None:
    assert rootfs.layers
    rest = set(RIG_ROOT.iterdir())
    done = subprocess.run(
        [sys.executable, str(DEMO)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for runbook in ("RB-FILE-001", "RB-FW-001", "RB-SSH-001", "RB-TIME-001", "RB-SERVICE-001"):
        assert f"would run {runbook} for" in done.stdout
        assert f"{runbook} healed: the second look says so" in done.stdout
    assert done.stdout.count("✓") == 5
    assert "VERIFIED: 16 entries" in done.stdout
    assert done.stdout.count('Good "git" signature for example-clinic/frontdesk') == 4
    assert "NOT VERIFIED" in done.stdout
    assert set(RIG_ROOT.iterdir()) == rest


def test_demo_names_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = spec_from_file_location("demo", DEMO)
    assert spec is not None
    assert spec.loader is not None
    demo = module_from_spec(spec)
    spec.loader.exec_module(demo)
    monkeypatch.setattr(demo, "require_guest", lambda: "not installed: mmdebstrap")

    assert demo.main() == 7

    said = capsys.readouterr().err
    assert "cannot boot a guest here: not installed: mmdebstrap." in said
    assert "ci/packages.txt" in said
