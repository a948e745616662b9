"""The safeguards of the baseline: every option, every value that is refused, every assertion.

One process of Nix evaluates all cases (tests/nix/modules/cases.nix); what came of them is judged
here.
"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.checks import catalogue
from tests.support.nix_modules import CASES, ROOT, evaluate
from tests.support.nix_runtime import NixStore

_SOURCES = sorted((ROOT / "nix/modules/baseline").rglob("*.nix"))
_SAFEGUARDS = {
    "accounts",
    "antivirus",
    "audit",
    "backup",
    "diskEncryption",
    "firewall",
    "journal",
    "kernel",
    "secrets",
    "sessions",
    "ssh",
    "time",
    "updates",
    "usb",
    "wireguard",
}


@pytest.fixture(scope="module")
def cases(nix: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    store = NixStore(nix, tmp_path_factory.mktemp("baseline"))
    return evaluate(store, f"import {CASES} {{ }}")


def test_the_whole_baseline_is_accepted_and_on(cases: dict[str, Any]) -> None:
    assert cases["refused"] == []
    assert {name for name, s in cases["safeguards"].items() if s["enabled"]} == _SAFEGUARDS


def test_every_option_is_described_has_a_default_and_is_tested(cases: dict[str, Any]) -> None:
    options = {n: o for n, o in cases["options"].items() if n not in {"enable", "safeguards"}}
    assert sorted(options) == cases["tested"]
    assert [n for n, o in options.items() if not o["hasDefault"] or len(o["description"]) < 8] == []


def test_every_option_takes_a_good_value(cases: dict[str, Any]) -> None:
    assert {name for name, case in cases["good"].items() if not case["took"]} == set()
    unchanged = {name for name, case in cases["good"].items() if not case["changed"]}
    assert {name for name in unchanged if not name.endswith(".enable")} == set()


def test_every_option_refuses_a_bad_value(cases: dict[str, Any]) -> None:
    assert {name for name, taken in cases["bad"].items() if any(taken) or not taken} == set()


@pytest.mark.parametrize(
    ("option", "value", "named"),
    [
        ("ssh.port", "65536", "ssh.port"),
        ("backup.jobs.local.repository", '"/mnt/usb"', "backup.jobs.local.repository"),
        ("accounts.lockout.deny", "4", "accounts.lockout.deny"),
        ("no.such.option", "true", "no"),
    ],
)
def test_a_refusal_names_the_option(
    nix_store: NixStore, option: str, value: str, named: str
) -> None:
    host = f"{ROOT}/tests/nix/modules/host.nix"
    expression = (
        f"let t = import {ROOT}/nix/testing {{ }};"
        f" e = t.evalSystem {{ modules = [ {host} {{ reconciler.baseline.{option} = {value}; }} ];"
        " }; in builtins.deepSeq e.config.reconciler.baseline true"
    )
    done = nix_store.attempt("nix", "eval", "--impure", "--json", "--expr", expression)
    assert done.returncode != 0
    assert f"option `reconciler.baseline.{named}'" in done.stderr.decode()


def test_the_tunnel_makes_its_key_where_networkd_runs_the_network(nix_store: NixStore) -> None:
    """The release would leave the tunnel to networkd, too, which makes no keys and refuses."""
    host = f"{ROOT}/tests/nix/modules/host.nix"
    refused = evaluate(
        nix_store,
        f"let t = import {ROOT}/nix/testing {{ }}; in t.refusals (t.evalSystem"
        f" {{ modules = [ {host} {{ networking.useNetworkd = true; }} ]; }}).config",
    )
    assert refused == []


@pytest.mark.parametrize(("file", "refused"), [("/var/swap", 0), ("/boot/swap", 1)])
def test_a_swap_file_is_as_encrypted_as_what_it_lies_on(
    nix_store: NixStore, file: str, refused: int
) -> None:
    host = f"{ROOT}/tests/nix/modules/host.nix"
    messages = evaluate(
        nix_store,
        f"let t = import {ROOT}/nix/testing {{ }}; in t.refusals (t.evalSystem"
        f' {{ modules = [ {host} {{ swapDevices = [ {{ device = "{file}"; }} ]; }} ]; }}).config',
    )
    assert [file in message for message in messages] == [True] * refused


def test_each_safeguard_can_be_switched_off_alone(cases: dict[str, Any]) -> None:
    assert set(cases["off"]) == _SAFEGUARDS
    for name, seen in cases["off"].items():
        assert seen == {"enabled": False, "others": len(_SAFEGUARDS) - 1, "refused": []}, name


@pytest.mark.parametrize("group", ["assertions", "secrets"])
def test_every_assertion_fires_where_it_should(cases: dict[str, Any], group: str) -> None:
    for what, messages in cases[group].items():
        assert any(what in message for message in messages), what


def test_no_assertion_was_forgotten(cases: dict[str, Any]) -> None:
    heads = {
        re.split(r"\$\{|[.(:]", text)[0].strip()
        for source in _SOURCES
        for text in re.findall(
            r'message = "reconciler\.baseline\.\w+: ([^"]+)', source.read_text(encoding="utf-8")
        )
    } - {""}
    fired = " ".join(m for messages in cases["assertions"].values() for m in messages)
    assert len(heads) >= 20
    assert {head for head in heads if head not in fired} == set()


def test_a_message_says_what_to_do_and_repeats_no_secret(cases: dict[str, Any]) -> None:
    messages = [m for g in ("assertions", "secrets") for case in cases[g].values() for m in case]
    assert messages
    for message in messages:
        assert message.endswith("."), message
        assert len(re.split(r"[.:] ", message)) > 1, message
        assert not re.search(r"changeme|\$y\$|\$6\$|BEGIN EC|u:p@", message), message


def test_what_only_looks_like_a_secret_can_be_exempted(cases: dict[str, Any]) -> None:
    assert cases["exempt"] == []


def test_safeguards_name_controls_and_checks_that_exist(cases: dict[str, Any]) -> None:
    known = {
        f"{path.stem}:{control['id']}"
        for path in (ROOT / "policies/frameworks").glob("*.yaml")
        for control in yaml.safe_load(path.read_text(encoding="utf-8"))["controls"]
    }
    checks = set(catalogue.load())
    for name, safeguard in cases["safeguards"].items():
        assert safeguard["controls"], name
        assert set(safeguard["controls"]) <= known, name
        assert set(safeguard["checks"]) <= checks, name


def test_the_service_that_uploads_the_journal_can_reach_its_key(nix_store: NixStore) -> None:
    """It runs as a user of its own, of the group systemd-journal."""
    made, elsewhere = evaluate(
        nix_store,
        f"let t = import {ROOT}/nix/testing {{ }}; host = {ROOT}/tests/nix/modules/host.nix;"
        " rules = more: (t.evalSystem { modules = [ host more ]; }).config.systemd.tmpfiles.rules;"
        ' in [ (rules { }) (rules { reconciler.baseline.journal.upload.key = "/run/k"; }) ]',
    )
    line = "d /var/lib/journal-upload 0750 root systemd-journal -"
    assert (line in made, line in elsewhere) == (True, False)


def test_one_safeguard_can_be_had_without_the_others(nix_store: NixStore) -> None:
    files = {
        source.stem: source
        for source in (ROOT / "nix/modules/baseline").glob("*.nix")
        if source.name not in {"common.nix", "default.nix", "switch.nix"}
    }
    alone = "; ".join(f'"{name}" = of {file}' for name, file in files.items())
    found = evaluate(
        nix_store,
        f"let t = import {ROOT}/nix/testing {{ }}; of = file: let e = t.evalSystem {{ modules ="
        " [ file { reconciler.baseline.enable = true; } ]; }; in {"
        " has = builtins.attrNames e.config.reconciler.baseline.safeguards;"
        f" refused = t.refusals e.config; }}; in {{ {alone}; }}",
    )
    assert {one["has"][0] for one in found.values()} == _SAFEGUARDS
    assert all(len(one["has"]) == 1 for one in found.values())
    for one in found.values():
        (name,) = one["has"]
        assert all(m.startswith(f"reconciler.baseline.{name}: ") for m in one["refused"])


def test_every_file_of_a_safeguard_names_its_controls() -> None:
    for source in (ROOT / "nix/modules/baseline").glob("*.nix"):
        text = source.read_text(encoding="utf-8")
        assert text.startswith("# "), source.name
        if source.name not in {"common.nix", "default.nix", "switch.nix"}:
            assert "Controls: 45 CFR 164." in text.split("{", 1)[0], source.name


def test_the_page_lists_every_safeguard_with_its_checks_and_provisions(
    cases: dict[str, Any],
) -> None:
    page = (ROOT / "docs/baseline.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| `[a-z-]+\.nix` \| (.*) \|$", page, flags=re.MULTILINE))
    assert set(rows) == _SAFEGUARDS
    for name, row in rows.items():
        provisions, checks = row.split(" | ")
        assert re.findall(r"LNX-\w+-\d{3}", checks) == cases["safeguards"][name]["checks"], name
        hipaa = {c for c in cases["safeguards"][name]["controls"] if c.startswith("hipaa:")}
        assert _provisions(provisions) == hipaa, name


def _provisions(text: str) -> set[str]:
    """``164.308(a)(7)(ii)(A), (B); 164.310(c)``: what is left out is as in the one before."""
    found: set[str] = set()
    for group in text.split("; "):
        before: list[str] = []
        for word in group.split(", "):
            section, parts = re.match(r"(?:(164\.\d+))?", word)[1], re.findall(r"\([^)]+\)", word)
            if section is None and len(parts) < len(before) - 1:
                level = _level(parts[0])
                start = next(i for i, p in enumerate(before) if i and _level(p) == level)
                parts = before[1:start] + parts
            before = [section or before[0], *parts]
            found.add("hipaa:" + "".join(before))
    return found


def _level(part: str) -> str:
    inner = part.strip("()")
    if inner.isdigit():
        return "number"
    if inner.isupper():
        return "capital"
    return "roman" if set(inner) <= set("ivx") else "letter"
