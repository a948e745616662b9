"""The options as people meet them: described, typed, and on a page that is never out of date."""

from pathlib import Path

import pytest

from tests.support.make_nixos_options import (
    PAGE,
    modules_host,
    options_beside,
    options_of,
    render,
)
from tests.support.nix_runtime import NixStore
from tests.support.reconciler_module import Evaluation


@pytest.fixture(scope="module")
def host(nix: Path, tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    return modules_host(NixStore(nix, tmp_path_factory.mktemp("nix")))


@pytest.fixture(scope="module")
def options(host: Evaluation) -> list[dict[str, str | None]]:
    return options_of(host)


@pytest.fixture(scope="module")
def beside(host: Evaluation) -> list[dict[str, str | None]]:
    return options_beside(host)


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


def test_every_option_says_what_it_is(
    options: list[dict[str, str | None]], beside: list[dict[str, str | None]]
) -> None:
    mute = [
        option["name"]
        for option in [*options, *beside]
        if not option["type"] or not (option["description"] or "").strip().endswith((".", ")."))
    ]
    assert mute == []


def test_what_must_be_given_has_an_example(options: list[dict[str, str | None]]) -> None:
    bare = [o["name"] for o in options if o["default"] is None and o["example"] is None]

    assert bare == ["settings"], "which is made, not given"


def test_the_page_is_that_of_the_modules(
    options: list[dict[str, str | None]], beside: list[dict[str, str | None]]
) -> None:
    names = {option["name"] for option in beside}
    assert {"reconciler.baseline.ssh.ca", "reconciler.expectations.open"} <= names

    page = render([*options, *beside])
    assert PAGE.read_text() == page, "python -m tests.support.make_nixos_options"
