"""Every option ends in a field of the settings, every field has an option, and both agree."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from reconciler.engine.settings import Settings
from reconciler.engine.tickets.settings import ChannelSettings
from tests.support.commands import CommandFailed
from tests.support.nix_runtime import NixStore
from tests.support.reconciler_module import (
    COMPLETE,
    EVALUATING,
    MINIMAL,
    Evaluation,
    settings_of,
)

BY_HAND = """\
client: elm-street
host: front-desk
fleet:
  url: https://git.example.org/fleet.git
  signers: /var/lib/reconciler/trust/allowed_signers
evidence:
  repository: /var/lib/reconciler/evidence/elm-street.git
  key: /var/lib/reconciler/keys/appliance
  signers: /var/lib/reconciler/trust/evidence_signers
state: /var/lib/reconciler/state
helper: /run/reconciler/helper.sock
"""
"""The paths that the module chooses; every other default is the program's own."""

SECTIONS = {
    "nothing": ("", ""),
    "remote": (
        'evidence.remote.url = "https://evidence.example.org/elm.git";',
        "  remote: {url: https://evidence.example.org/elm.git}",
    ),
    "anchors": ("evidence.anchors = { };", "  anchors: {}"),
    "copies": (
        'evidence.copies = { endpoint = "https://s3.example.org"; bucket = "evidence";'
        ' region = "x"; accessKeyFile = "/run/s3.id"; secretKeyFile = "/run/s3.key"; };',
        "  copies: {endpoint: https://s3.example.org, bucket: evidence, region: x,"
        " access_key_file: /run/s3.id, secret_key_file: /run/s3.key}",
    ),
    "notify": (
        'notify.drop = { kind = "file"; directory = "/var/lib/x"; };',
        "notify: {drop: {kind: file, directory: /var/lib/x}}",
    ),
    "advise": (
        'advise = { kind = "openai"; model = "m"; key = "/run/llm"; };',
        "advise: {kind: openai, model: m, key: /run/llm}",
    ),
    "system": ("system = { };", "system: {}"),
    "evaluate": (
        "helper.enable = false; system.evaluate = { };",
        "system: {evaluate: {}}",
    ),
}
"""Optional parts, each with no more than it needs: as options, and by hand."""


@pytest.fixture(scope="module")
def nix_store(nix: Path, tmp_path_factory: pytest.TempPathFactory) -> NixStore:
    """One store for the module: its tests only evaluate."""
    return NixStore(nix, tmp_path_factory.mktemp("nix"))


@pytest.fixture(scope="module")
def complete(nix_store: NixStore) -> Evaluation:
    return Evaluation(nix_store, COMPLETE)


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Every document that a field's type is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        return
    for inner in get_args(annotation):
        yield from models_in(inner)


def fields_of(model: type[BaseModel], place: str = "") -> set[str]:
    """Paths of all fields below a document; those of a channel are taken together."""
    paths: set[str] = set()
    for name, field in model.model_fields.items():
        paths.add(f"{place}{name}")
        for inner in models_in(field.annotation):
            paths |= fields_of(inner, f"{place}{name}.")
    return paths


def keys_of(value: Any, place: str = "") -> set[str]:
    """Paths of all keys of a settings document; names of channels are left out."""
    if isinstance(value, list | tuple):
        return {path for item in value for path in keys_of(item, place)}
    if not isinstance(value, Mapping):
        return set()
    paths: set[str] = set()
    for key, inner in value.items():
        below = list(inner.values()) if key == "notify" else inner
        paths |= {f"{place}{key}"} | keys_of(below, f"{place}{key}.")
    return paths


def test_an_appliance_that_sets_everything_has_every_field_and_no_other(
    complete: Evaluation, nix_store: NixStore, tmp_path: Path
) -> None:
    evaluating = Evaluation(nix_store, COMPLETE, EVALUATING)

    written: set[str] = set()
    for host in (complete, evaluating):
        assert host.refusals() == []
        settings_of(host.settings_text(), tmp_path)
        written |= keys_of(host.get("config.services.reconciler.settings"))

    assert written == fields_of(Settings)
    assert len(written) >= 27


def test_all_kinds_of_channel_are_there(complete: Evaluation, tmp_path: Path) -> None:
    home = settings_of(complete.settings_text(), tmp_path)

    kinds = {type(channel) for channel in home.settings.notify.values()}
    assert kinds == set(models_in(ChannelSettings))
    assert set(home.settings.notify) == {"drop", "desk", "issues", "true"}


def test_a_credential_becomes_a_file_where_a_field_wants_one(
    complete: Evaluation, tmp_path: Path
) -> None:
    settings = settings_of(complete.settings_text(), tmp_path).settings

    assert settings.evidence.key == "credential:appliance"
    assert settings.fleet.ssh_key == "/run/credentials/reconciler.service/deploy"
    assert settings.fleet.token_file == "/run/secrets/token"


@pytest.mark.parametrize("section", SECTIONS)
def test_defaults_are_those_of_the_program(
    nix_store: NixStore, tmp_path: Path, section: str
) -> None:
    options, lines = SECTIONS[section]
    more = "{ services.reconciler = { " + options + " }; }"
    made = settings_of(Evaluation(nix_store, MINIMAL, more).settings_text(), tmp_path)

    # What belongs under evidence is indented, and goes where evidence is open.
    by_hand = BY_HAND.replace("state:", f"{lines}\nstate:") if lines[:1] == " " else BY_HAND + lines
    if "helper.enable = false" in options:
        by_hand = by_hand.replace("helper: /run/reconciler/helper.sock\n", "")
    assert made.settings == settings_of(by_hand, tmp_path).settings


def test_no_branch_of_attestations_is_not_the_default_one(
    nix_store: NixStore, tmp_path: Path
) -> None:
    none = "{ services.reconciler.fleet.attestations = null; }"
    home = settings_of(Evaluation(nix_store, MINIMAL, none).settings_text(), tmp_path)

    assert home.settings.fleet.attestations is None


def test_text_that_yaml_would_take_for_something_else_stays_text(
    nix_store: NixStore, tmp_path: Path
) -> None:
    strange = """{ services.reconciler = {
      notify.null = { kind = "file"; directory = "/a:b#cé"; };
      notify."0600" = { kind = "file"; directory = "/x"; };
      evidence.key = "/a: b # c \\"é\\" \\n";
    }; }"""
    settings = settings_of(
        Evaluation(nix_store, MINIMAL, strange).settings_text(), tmp_path
    ).settings

    directories = {name: getattr(c, "directory", None) for name, c in settings.notify.items()}
    assert directories == {"null": "/a:b#cé", "0600": "/x"}
    assert settings.evidence.key == '/a: b # c "é" \n'


WRONG = {
    "a name that is no path": ('client = "Elm/Street";', "services.reconciler.client"),
    "a key that would be copied into the store": (
        "evidence.key = ./secret;",
        "services.reconciler.evidence.key",
    ),
    "an interval below the least": ("intervalS = 4;", "services.reconciler.intervalS"),
    "a number as text": ('jitterS = "30";', "services.reconciler.jitterS"),
    "retention below six years": (
        'evidence.copies = { endpoint = "https://x"; bucket = "abc"; region = "x"; years = 5;'
        ' accessKeyFile = "/a"; secretKeyFile = "/b"; };',
        "services.reconciler.evidence.copies.years",
    ),
    "an option that does not exist": ("windows = [ ];", "services.reconciler.windows"),
    "a fleet over plain http": ('fleet.url = "http://x/f.git";', "services.reconciler.fleet.url"),
    "a fleet that is asked with a password": (
        'fleet.url = "https://u:p@x/f.git";',
        "services.reconciler.fleet.url",
    ),
    "a fleet somewhere": ('fleet.url = "f.git";', "services.reconciler.fleet.url"),
    "evidence to another scheme": (
        'evidence.remote.url = "ftp://x/e.git";',
        "services.reconciler.evidence.remote.url",
    ),
    "a branch that is no plain one": ('fleet.branch = "a..b";', "services.reconciler.fleet.branch"),
    "a name that no label of DNS can be": (
        f'client = "{"a" * 64}";',
        "services.reconciler.client",
    ),
    "a model over plain http": (
        'advise = { kind = "compatible"; model = "m"; baseUrl = "http://x"; };',
        "services.reconciler.advise.baseUrl",
    ),
    "the address of a pager, which is a secret": (
        'notify.x = { kind = "apprise"; url = "slack://token"; };',
        "services.reconciler.notify.x.url",
    ),
    "a directory that no unit can name": (
        'notify.x = { kind = "file"; directory = "/srv/my tickets"; };',
        "services.reconciler.notify.x.directory",
    ),
    "a credential that would be another line of the unit": (
        'credentials.x.source = "/x\\nExecStart=/bin/x";',
        "services.reconciler.credentials.x.source",
    ),
    "a key of a witness that is none": (
        'evidence.witnesses = [ { name = "x"; url = "https://x"; key = "ssh-ed25519 AAAA"; } ];',
        "services.reconciler.evidence.witnesses",
    ),
    "a channel of no kind": ('notify.x.kind = "pager";', "services.reconciler.notify.x.kind"),
}


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.replace(" ", "-"))
def test_what_no_option_takes_is_refused_by_its_name(nix_store: NixStore, case: str) -> None:
    setting, option = WRONG[case]
    minimal = MINIMAL
    for given in ('client = "elm-street";', 'fleet.url = "https://git.example.org/fleet.git";'):
        minimal = minimal.replace(given, "") if setting.startswith(given.split(" ")[0]) else minimal
    host = Evaluation(nix_store, minimal, "{ services.reconciler = { " + setting + " }; }")

    with pytest.raises(CommandFailed) as refused:
        host.get("[ config.services.reconciler.settings config.services.reconciler.credentials ]")

    said = str(refused.value)
    assert re.search(rf"option [`']{re.escape(option)}[.']", said), said[-600:]
