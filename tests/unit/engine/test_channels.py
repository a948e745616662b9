"""A channel that cannot be used says which setting is wrong, and no secret."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from reconciler.engine.settings import Home
from reconciler.engine.tickets import channels
from reconciler.engine.tickets.channels import open_channel
from reconciler.engine.tickets.settings import Channels
from reconciler.errors import InputError, MachineError
from reconciler.escalate.by_apprise import ByApprise
from reconciler.escalate.file import Shelf
from reconciler.escalate.github import GitHub
from reconciler.escalate.webhook import Webhook

SECRET = "very-secret-value"
HOOK = {"kind": "webhook", "url": "https://desk.example/hook", "secret": "secret"}
HUB = {"kind": "github", "repository": "msp/tickets", "token": "secret"}
MAIL = {"kind": "apprise", "url": "secret"}


@pytest.fixture
def base(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    (tmp_path / "secret").chmod(0o600)
    (tmp_path / "shelf").mkdir()
    (tmp_path / "ca.pem").write_text("pem")
    return tmp_path


def home(base: Path, channel: Mapping[str, Any]) -> Home:
    class _Settings:
        notify = TypeAdapter(Channels).validate_python({"one": channel})

    return Home(_Settings(), base, base / "reconciler.yaml")  # type: ignore[arg-type]


def test_each_kind_is_made_ready(base: Path) -> None:
    shelf = open_channel(home(base, {"kind": "file", "directory": "shelf"}), "one")
    assert shelf.way == Shelf(str(base / "shelf"))
    hook = open_channel(home(base, HOOK | {"ca_file": "ca.pem", "timeout_s": 3}), "one")
    assert hook.way == Webhook("https://desk.example/hook", SECRET, str(base / "ca.pem"))
    assert (hook.timeout_s, hook.per_hour) == (3, 20)
    hub = open_channel(home(base, HUB | {"labels": ("night",)}), "one")
    assert hub.way == GitHub("https://api.github.com", "msp/tickets", SECRET, ("night",))
    assert open_channel(home(base, MAIL), "one").way == ByApprise(SECRET)


@pytest.mark.parametrize(
    ("channel", "field"),
    [
        ({"kind": "file", "directory": "absent"}, "notify.one.directory"),
        ({"kind": "file", "directory": "secret"}, "notify.one.directory"),
        (HOOK | {"url": "http://desk.example/hook"}, "notify.one.url"),
        (HOOK | {"url": f"https://desk.example/?{SECRET}"}, "notify.one.url"),
        (HOOK | {"secret": "absent"}, "notify.one.secret"),
        (HOOK | {"secret": "credential:absent"}, "notify.one.secret"),
        (HOOK | {"ca_file": "absent"}, "notify.one.ca_file"),
        (HUB | {"api": f"https://{SECRET}@hub.example"}, "notify.one.api"),
        (HUB | {"token": "ca.pem/x"}, "notify.one.token"),
        (MAIL | {"url": "shelf"}, "notify.one.url"),
    ],
)
def test_what_is_wrong_is_named(base: Path, channel: Mapping[str, Any], field: str) -> None:
    with pytest.raises(InputError) as refused:
        open_channel(home(base, channel), "one")

    assert refused.value.where is not None
    assert refused.value.where.field == field
    assert SECRET not in f"{refused.value} {refused.value.hint}"


def test_a_missing_library_and_a_missing_channel(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="no channel two"):
        open_channel(home(base, HOOK), "two")
    monkeypatch.setattr(channels, "find_spec", lambda _name: None)
    for channel in (HOOK, HUB, MAIL):
        with pytest.raises(MachineError, match="is not installed"):
            open_channel(home(base, channel), "one")
