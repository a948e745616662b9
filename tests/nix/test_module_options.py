"""The options as people meet them: described, typed, and on a page that is never out of date."""

from pathlib import Path

import pytest

from tests.support.make_nixos_options import PAGE, options_of, render
from tests.support.nix_runtime import NixStore
from tests.support.reconciler_module import MINIMAL, Evaluation


@pytest.fixture(scope="module")
def options(nix: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str | None]]:
    return options_of(Evaluation(NixStore(nix, tmp_path_factory.mktemp("nix")), MINIMAL))


def test_there_is_an_option_for_everything_that_an_appliance_needs(
    options: list[dict[str, str | None]],
) -> None:
    names = {option["name"] for option in options}

    needed = {
        "enable",
        "package",
        "client",
        "host",
        "fleet.url",
        "fleet.branch",
        "fleet.signers",
        "fleet.pin",
        "fleet.sshKey",
        "fleet.attestations",
        "intervalS",
        "jitterS",
        "evidence.repository",
        "evidence.key",
        "evidence.remote.url",
        "evidence.checkpointEveryS",
        "evidence.witnesses.*.key",
        "evidence.anchors.calendars",
        "evidence.copies.years",
        "notify.<name>.kind",
        "advise.model",
        "system.caches",
        "system.publicKeys",
        "system.watchdogS",
        "system.evaluate",
        "credentials.<name>.source",
        "watchdogSec",
        "memoryMax",
        "cpuQuota",
        "extraGroups",
        "helper.enable",
        "storeVerify.schedule",
    }
    assert needed <= names
    # Said once, in the fleet repository.
    assert not {"mode", "windows", "policies", "rings", "runbooks"} & names


def test_every_option_says_what_it_is(options: list[dict[str, str | None]]) -> None:
    mute = [
        option["name"]
        for option in options
        if not option["type"] or not (option["description"] or "").strip().endswith((".", ")."))
    ]
    assert mute == []


def test_what_must_be_given_has_an_example(options: list[dict[str, str | None]]) -> None:
    bare = [o["name"] for o in options if o["default"] is None and o["example"] is None]

    assert bare == ["settings"], "which is made, not given"


def test_the_page_is_that_of_this_module(options: list[dict[str, str | None]]) -> None:
    assert PAGE.read_text() == render(options), "python -m tests.support.make_nixos_options"
