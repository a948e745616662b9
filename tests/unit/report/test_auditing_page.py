"""docs/auditing.md explains what there is to explain, and names no option that is not there."""

import ast
import re
from pathlib import Path

from reconciler.cli import audit_kit, verify

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/auditing.md").read_text()


def subjects() -> set[str]:
    """The codes of all claims that the sources make."""
    found: set[str] = set()
    for name in ("evidence/claims.py", "ledger/verification.py"):
        tree = ast.parse((ROOT / "reconciler" / name).read_text())
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        for call in calls:
            if isinstance(call.func, ast.Name) and call.func.id in {"Claim", "_proven", "_missing"}:
                where = 0 if call.func.id == "Claim" else 1
                if isinstance(call.args[where], ast.Constant):
                    found.add(str(call.args[where].value))
    return found


def test_every_claim_is_explained() -> None:
    assert len(subjects()) >= 12
    assert [name for name in sorted(subjects()) if f"\n| `{name}` |" not in PAGE] == []


def test_every_option_it_names_is_there() -> None:
    known = {
        option
        for command in (audit_kit.command, verify.command)
        for parameter in command.params
        for option in parameter.opts
    }
    others = {"--bare", "--show-signature", "--strict", "--with-default-services", "--kind"}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", PAGE)) <= known | others
