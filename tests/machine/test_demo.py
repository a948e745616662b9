"""`make demo` keeps its promise, and says what is missing where it cannot."""

import os
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from subprocess import PIPE

import pytest

from tests.support.image import PROJECT, Image
from tests.support.leftovers import RIG_ROOT

DEMO = PROJECT / "ci/demo.py"


def test_demo_heals_what_it_breaks_and_proves_it(rootfs: Image) -> None:
    assert rootfs.layers
    wide = {**os.environ, "COLUMNS": "200"}
    argv = [sys.executable, str(DEMO)]
    with subprocess.Popen(argv, env=wide, stdout=PIPE, stderr=PIPE, text=True) as demo:
        said, complaints = demo.communicate(timeout=300)
    assert demo.returncode == 0, said + complaints
    for runbook in ("RB-FILE-001", "RB-FW-001", "RB-SSH-001", "RB-TIME-001", "RB-SERVICE-001"):
        assert f"would run {runbook} for" in said
        assert f"{runbook} healed: the second look says so" in said
    assert said.count("✓") == 5
    assert "VERIFIED: 16 entries" in said
    assert said.count('Good "git" signature for example-clinic/frontdesk') == 4
    assert "NOT VERIFIED" in said
    assert [p for p in RIG_ROOT.iterdir() if f"reconciler-{demo.pid}-" in p.name] == []


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
