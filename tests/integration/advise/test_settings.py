"""``advise:`` of reconciler.yaml: absent is normal, what is there is checked, keys stay secret."""

import importlib.util
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from reconciler.advise.ask import Remote
from reconciler.engine.advice import endpoint as advice_endpoint
from reconciler.engine.advice.endpoint import adviser_of
from reconciler.engine.settings import Home, load_settings
from reconciler.errors import InputError, MachineError, ReconcilerError
from tests.support.certificates import Issuer

pytestmark = pytest.mark.integration

KEY = "sk-geheim-0123456789"
BASE = """\
client: clinic
host: desk
fleet: {url: fleet, signers: trust/signers}
evidence: {repository: evidence, key: keys/host, signers: trust/evidence}
"""
GOOD = """\
advise:
  kind: compatible
  base_url: https://llm.example/v1/
  model: llama-3.2:3b
  key: llm.key
  ca_file: trust/llm.pem
  prompt_microusd_per_million_tokens: 150000
  completion_microusd_per_million_tokens: 600000
"""


def home(directory: Path, text: str = GOOD, *, key: str = KEY, mode: int = 0o600) -> Home:
    file = directory / "reconciler.yaml"
    file.write_text(BASE + text)
    secret = directory / "llm.key"
    secret.write_text(f"{key}\n")
    secret.chmod(mode)
    (directory / "trust").mkdir(exist_ok=True)
    (directory / "trust/llm.pem").write_text(_certificate())
    return load_settings(file, directory)


@cache
def _certificate() -> str:
    now = datetime.now(UTC)
    return Issuer.root("llm.example", now - timedelta(days=1), now + timedelta(days=1)).pem


def remote(where: Home) -> Remote:
    made = adviser_of(where)
    assert isinstance(made, Remote)
    return made


def test_without_it_there_is_nobody_to_ask_and_nothing_is_wrong(tmp_path: Path) -> None:
    assert adviser_of(home(tmp_path, "")) is None


def test_what_the_settings_say_is_whom_is_asked(tmp_path: Path) -> None:
    made = remote(home(tmp_path)).endpoint

    assert (made.kind, made.base_url, made.model) == (
        "compatible",
        "https://llm.example/v1",
        "llama-3.2:3b",
    )
    assert made.key == KEY
    assert made.ca_file == tmp_path / "trust/llm.pem"
    assert (made.prompt_price, made.completion_price) == (150_000, 600_000)


def test_openai_needs_no_address_and_a_credential_is_a_key(tmp_path: Path) -> None:
    text = "advise: {kind: openai, model: gpt-4.1-mini, key: 'credential:llm.key'}\n"
    made = remote(home(tmp_path, text)).endpoint
    assert (made.base_url, made.key) == ("https://api.openai.com/v1", KEY)


def test_azure_has_a_deployment(tmp_path: Path) -> None:
    text = (
        "advise: {kind: azure, base_url: 'https://x.openai.azure.com', model: gpt-4.1, "
        "key: llm.key, deployment: dep, api_version: 2024-10-21}\n"
    )
    assert remote(home(tmp_path, text)).endpoint.name == "azure https://x.openai.azure.com dep"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("kind: mine, model: m", "kind"),
        ("kind: compatible, model: m", "needs base_url"),
        ("kind: openai, model: m", "needs key"),
        ("kind: azure, base_url: 'https://x', model: m, key: llm.key", "deployment"),
        ("kind: openai, model: m, key: llm.key, deployment: d", "deployment"),
        ("kind: openai, model: 'm m', key: llm.key", "model"),
        ("kind: openai, model: m, key: llm.key, api_key: sk-geheim-0123456789", "api_key"),
        ("kind: openai, model: m, key: llm.key, prompt_microusd_per_million_tokens: -1", "prompt"),
    ],
)
def test_what_cannot_be_meant_is_an_error(tmp_path: Path, fields: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        home(tmp_path, f"advise: {{{fields}}}\n")
    assert said in str(refused.value)
    assert KEY not in str(refused.value) + refused.value.hint


@pytest.mark.parametrize(
    ("change", "files", "field"),
    [
        ({}, {"mode": 0o644}, "advise.key"),
        ({}, {"key": f"{KEY} {KEY}"}, "advise.key"),
        ({"key: llm.key": "key: none.key"}, {}, "advise.key"),
        ({"key: llm.key": "key: credential:../llm.key"}, {}, "advise.key"),
        ({"trust/llm.pem": "trust/none.pem"}, {}, "advise.ca_file"),
        ({"https://llm.example/v1/": "http://llm.example/v1"}, {}, "advise.base_url"),
        ({"https://llm.example/v1/": f"https://me:{KEY}@llm.example"}, {}, "advise.base_url"),
    ],
    ids=[
        "readable",
        "two words",
        "missing",
        "outside",
        "no certificates",
        "plain http",
        "key in the address",
    ],
)
def test_what_cannot_be_used_is_an_error_that_names_the_field_and_no_secret(
    tmp_path: Path, change: dict[str, str], files: dict[str, Any], field: str
) -> None:
    text = GOOD
    for old, new in change.items():
        assert old in text
        text = text.replace(old, new)
    with pytest.raises(ReconcilerError) as refused:
        adviser_of(home(tmp_path, text, **files))
    assert field in str(refused.value)
    assert KEY not in f"{refused.value}{refused.value.hint}{refused.value!r}"


def test_a_library_that_is_not_installed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = importlib.util.find_spec
    monkeypatch.setattr(
        advice_endpoint, "find_spec", lambda name: None if name == "openai" else there(name)
    )
    with pytest.raises(MachineError, match="openai is not installed") as refused:
        adviser_of(home(tmp_path))
    assert "reconciler[advise]" in refused.value.hint
    assert adviser_of(home(tmp_path, "")) is None
