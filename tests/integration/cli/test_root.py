"""``root:`` lets file-based checks judge a directory tree or image instead of this machine."""

import json
from pathlib import Path

import pytest

from reconciler.cli import execute as run
from tests.support.appliances import new_site


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small image: another release, an undeclared user, a link that points out of it."""
    root = tmp_path / "image"
    files = {
        "etc/os-release": 'ID=debian\nVERSION_ID="10"\n',
        "etc/passwd": "root:x:0:0:root:/root:/bin/bash\neve:x:1000:1000::/home/eve:/bin/bash\n",
        "etc/group": "root:x:0:\neve:x:1000:\n",
        "etc/shadow": "root:!:19000:0:99999:7:::\neve:!:19000:0:99999:7:::\n",
        "etc/sudoers": "root ALL=(ALL:ALL) ALL\neve ALL=(ALL) NOPASSWD: ALL\n",
    }
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


def findings(tmp_path: Path, tree: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, dict]:  # type: ignore[type-arg]
    site = new_site(tmp_path / "var")
    site.edit(
        "hosts/example-clinic/workstation.yaml",
        lambda text: text.replace("\nmode: observe\n", f"\nmode: observe\nroot: {tree}\n"),
    )
    capsys.readouterr()
    run(["run", "--once", "--json", "--config", site.settings])
    document = json.loads(capsys.readouterr().out)
    return {finding["rule"]: finding for finding in document["findings"]}


def test_file_based_checks_judge_the_tree(
    tmp_path: Path, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = findings(tmp_path, tree, capsys)

    assert seen["accounts-declared"]["observed"]["accounts"] == ["eve"]
    assert seen["debian-release-supported"]["observed"]["version_id"] == "10"
    assert seen["debian-release-supported"]["status"] == "fail"
    assert seen["root-password-locked"]["status"] == "pass"
    assert seen["sudo-password"]["observed"]["nopasswd"] == ["eve"]


def test_what_a_tree_cannot_answer_is_unknown_never_this_machine(
    tmp_path: Path, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = findings(tmp_path, tree, capsys)

    for rule in ("no-failed-units", "firewall", "sockets-declared"):
        assert seen[rule]["status"] == "unknown", rule
        assert seen[rule]["reason"], rule


def test_a_link_in_the_tree_cannot_show_this_machine(
    tmp_path: Path, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tree / "etc/passwd").unlink()
    (tree / "etc/passwd").symlink_to("/../../../../../../../../etc/passwd")

    seen = findings(tmp_path, tree, capsys)

    assert seen["accounts-declared"]["status"] == "unknown"
