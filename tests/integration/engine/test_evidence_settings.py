"""Settings of evidence: everything is off by default, and what cannot work says so at start."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from reconciler import open_appliance
from reconciler.engine.settings import Home, load_settings
from reconciler.engine.upkeep import equipment
from reconciler.engine.upkeep.equipment import equip
from reconciler.errors import InputError, KeyMissing, MachineError, ReconcilerError
from tests.support.drill import Drill, new_drill
from tests.support.seaweed import BUCKET
from tests.support.tsa import certified

pytestmark = pytest.mark.integration
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1dCxWSfbQ3vL7mfP4oGwHbRj1rWlNdbmQ3C8Vb6f4r"
COPIES = f"""\
  copies:
    endpoint: https://s3.example
    bucket: {BUCKET}
    region: eu-central-1
    access_key_file: keys/s3.id
    secret_key_file: keys/s3.secret
"""


@pytest.fixture
def file(drill: Drill) -> Path:
    trust = drill.site.directory / "trust"
    (trust / "tsa.pem").write_bytes(certified("root", authority=True).pem)
    (trust / "none.pem").write_text("nothing\n")
    return Path(drill.site.settings)


def asking(file: Path, evidence: str) -> Home:
    file.write_text(file.read_text().replace("evidence:\n", f"evidence:\n{evidence}", 1))
    return load_settings(file)


def test_nothing_is_asked_for_by_default(file: Path) -> None:
    made = equip(load_settings(file))

    assert (made.outbox, made.witnesses, made.anchors, made.store) == (None, (), None, None)
    assert made.repack
    assert load_settings(file).settings.evidence.seal_s == 0


def test_the_examples_that_init_writes_can_be_used_as_they_are(file: Path) -> None:
    lines = file.read_text().splitlines()
    first = next(n for n, line in enumerate(lines) if "seal_s" in line)
    examples = [line.replace("  # ", "  ", 1) for line in lines[first:] if line.startswith("  # ")]
    text = "\n".join([*lines[:first], *examples, *lines[first + len(examples) :]])
    text = text.replace("ssh-ed25519 AAAA}", f"{KEY}}}").replace("tsa-one.pem", "tsa.pem")
    file.write_text(text + "\n")
    made = equip(load_settings(file))

    assert made.outbox is not None
    assert made.outbox.server.location.kind == "ssh"
    assert [witness.name for witness in made.witnesses] == ["witness/hub"]
    assert made.anchors is not None
    assert len(made.anchors.ways) == 2
    assert made.store is not None
    assert made.store.settings.years == 6


WRONG = {
    "remote.urls": "  remote: {url: /srv/x.git, urls: x}\n",
    "remote.url": "  remote: {url: http://evidence.example/x.git}\n",
    "remote.timeout_s": "  remote: {url: /srv/x.git, timeout_s: 0}\n",
    "seal_s": "  seal_s: 3601\n",
    "checkpoint_every_s": "  checkpoint_every_s: 59\n",
    "witnesses[0].url": f'  witnesses: [{{name: hub, url: "http://hub.example", key: {KEY}}}]\n',
    "witnesses[0].key": '  witnesses: [{name: hub, url: "https://hub.example", key: x}]\n',
    "witnesses[0].name": f'  witnesses: [{{name: a/b, url: "https://hub.example", key: {KEY}}}]\n',
    "witnesses": (
        f'  witnesses: [{{name: a, url: "https://a.example", key: {KEY}}},'
        f' {{name: b, url: "https://b.example", key: {KEY}}}]\n'
    ),
    "anchors.calendars[0]": '  anchors: {calendars: ["ftp://a.example"]}\n',
    "anchors.upgrade_from[0]": (
        '  anchors: {calendars: ["https://a.example"], upgrade_from: ["x"]}\n'
    ),
    "anchors.min_calendars": ('  anchors: {calendars: ["https://a.example"], min_calendars: 2}\n'),
    "anchors.authorities[0].url": (
        "  anchors: {authorities: [{name: a, url: x, roots: trust/tsa.pem}]}\n"
    ),
    "anchors.authorities[0].roots": (
        '  anchors: {authorities: [{name: a, url: "https://a.example", roots: trust/no.pem}]}\n'
    ),
    "anchors.authorities[0].intermediates": (
        '  anchors: {authorities: [{name: a, url: "https://a.example", roots: trust/tsa.pem,'
        " intermediates: trust/none.pem}]}\n"
    ),
    "anchors.authorities": (
        '  anchors: {authorities: [{name: a, url: "https://a.example", roots: trust/tsa.pem},'
        ' {name: a, url: "https://b.example", roots: trust/tsa.pem}]}\n'
    ),
    "copies": COPIES.replace("https://s3", "http://s3"),
    "copies.years": COPIES + "    years: 5\n",
    "copies.bucket": COPIES.replace(BUCKET, "x"),
}


@pytest.mark.parametrize("field", WRONG)
def test_a_setting_that_cannot_be_meant_is_named(file: Path, field: str) -> None:
    with pytest.raises(ReconcilerError) as wrong:
        equip(asking(file, WRONG[field]))

    assert isinstance(wrong.value, InputError)
    assert f"evidence.{field}" in str(wrong.value), str(wrong.value)
    assert wrong.value.hint


@pytest.mark.parametrize(
    ("part", "library", "extra"),
    [
        ("witnesses", "httpx", "anchors"),
        ("anchors", "opentimestamps", "anchors"),
        ("anchors", "rfc3161_client", "anchors"),
        ("copies", "boto3", "worm"),
    ],
)
def test_a_library_that_is_missing_is_said_at_start_and_never_skipped(
    file: Path, monkeypatch: pytest.MonkeyPatch, part: str, library: str, extra: str
) -> None:
    asked = {
        "witnesses": f'  witnesses: [{{name: hub, url: "https://a.example", key: {KEY}}}]\n',
        "anchors": '  anchors: {calendars: ["https://a.example"]}\n',
        "copies": COPIES,
    }[part]
    home = asking(file, asked)
    monkeypatch.setattr(
        equipment, "find_spec", lambda name: None if name == library else find_spec(name)
    )
    with pytest.raises(MachineError, match=f"evidence.{part} is set, and {library}") as missing:
        equip(home)

    assert f"reconciler[{extra}]" in missing.value.hint


def test_a_key_that_systemd_passes_is_used(tmp_path: Path) -> None:
    drill = new_drill(tmp_path / "var")
    passed = tmp_path / "credentials"
    passed.mkdir()
    key = drill.site.directory / "keys/appliance"
    key.rename(passed / "evidence")
    file = Path(drill.site.settings)
    file.write_text(file.read_text().replace("key: keys/appliance", "key: credential:evidence"))

    with pytest.raises(KeyMissing, match="no credentials were passed"), drill.open():
        pass
    home = load_settings(file, passed)
    with open_appliance(home, clock=drill.clock, make_target=drill.target) as appliance:
        assert appliance.ledger.tip.seq == 0
