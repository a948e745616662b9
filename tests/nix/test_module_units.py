"""The units: systemd knows every word of them, and the daemon may do no more than look."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.nix_runtime import NixStore
from tests.support.reconciler_module import COMPLETE, EVALUATING, MINIMAL, Evaluation

ALL = {
    "reconciler.service",
    "reconciler-renew.service",
    "reconciler-helper.service",
    "reconciler-helper.socket",
    "reconciler-store-verify.service",
    "reconciler-store-verify.timer",
    "reconciler-boot-watchdog.service",
    "reconciler-boot-watchdog.timer",
}
EXPOSURE = {"reconciler.service": 36, "reconciler-store-verify.service": 15}
"""In tenths, as `systemd-analyze security` counts them: 100 is a service without any limit."""


@pytest.fixture(scope="module")
def nix_store(nix: Path, tmp_path_factory: pytest.TempPathFactory) -> NixStore:
    """One store for the module: its tests only evaluate."""
    return NixStore(nix, tmp_path_factory.mktemp("nix"))


@pytest.fixture(scope="module")
def host(nix_store: NixStore) -> Evaluation:
    return Evaluation(nix_store, COMPLETE)


@pytest.fixture(scope="module")
def units(host: Evaluation) -> dict[str, str]:
    return host.units()


@pytest.fixture
def folder(units: dict[str, str], tmp_path: Path) -> Path:
    """The unit files, with programs that this machine has."""
    for name, text in units.items():
        tmp_path.joinpath(name).write_text(re.sub(r"/(?:run|nix)/\S+/bin/\S+", "/bin/true", text))
    return tmp_path


def analyze(*arguments: object) -> subprocess.CompletedProcess[str]:
    argv = ["systemd-analyze", *map(str, arguments)]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)


def test_all_units_are_there_and_only_with_what_they_are_for(
    units: dict[str, str], nix_store: NixStore
) -> None:
    assert set(units) == ALL

    off = """{ services.reconciler = {
      helper.enable = false;
      storeVerify.enable = false;
    }; }"""
    bare = Evaluation(nix_store, MINIMAL, off).units()
    assert set(bare) == {"reconciler.service", "reconciler-renew.service"}


def test_systemd_knows_every_word(folder: Path) -> None:
    verified = analyze("verify", "--man=no", *sorted(folder.iterdir()))

    assert (verified.returncode, verified.stderr) == (0, "")


def test_a_word_that_systemd_does_not_know_would_be_seen(folder: Path) -> None:
    unit = folder / "reconciler.service"
    unit.write_text(unit.read_text().replace("ProtectSystem=", "ProtectSytem="))

    assert "ProtectSytem" in analyze("verify", "--man=no", unit).stderr


@pytest.mark.parametrize("name", EXPOSURE)
def test_a_unit_is_hardened_as_far_as_its_work_lets_it(folder: Path, name: str) -> None:
    most = EXPOSURE[name]

    judged = analyze(
        "security", "--offline=true", "--no-pager", f"--threshold={most}", folder / name
    )

    assert judged.returncode == 0, judged.stdout[-300:]


def test_the_daemon_has_capabilities_to_look_and_none_to_act(host: Evaluation) -> None:
    service = host.get("config.systemd.services.reconciler.serviceConfig")

    looking = {"CAP_DAC_READ_SEARCH", "CAP_SYS_PTRACE", "CAP_NET_ADMIN", "CAP_AUDIT_CONTROL"}
    assert set(service["AmbientCapabilities"]) == looking == set(service["CapabilityBoundingSet"])
    assert (service["User"], service["ProtectSystem"]) == ("reconciler", "strict")
    assert "SupplementaryGroups" not in service


def test_without_the_helper_the_daemon_is_root_and_no_socket_is_there(nix_store: NixStore) -> None:
    units = Evaluation(nix_store, COMPLETE, EVALUATING).units()

    assert "User=" not in units["reconciler.service"]
    assert "ProtectSystem" not in units["reconciler.service"]
    assert not {name for name in units if "helper" in name}


def test_the_daemon_sees_what_others_see(host: Evaluation) -> None:
    """A file in a hidden directory would count as absent, and an undeclared one as none."""
    service = host.get("config.systemd.services.reconciler.serviceConfig")

    shown = {name: service[name] for name in ("PrivateTmp", "PrivateDevices", "ProtectHome")}
    assert shown == {"PrivateTmp": False, "PrivateDevices": False, "ProtectHome": "read-only"}
    assert service["ProtectProc"] == "default"


def test_no_unit_listens_to_a_network(units: dict[str, str]) -> None:
    listening = re.findall(r"^Listen\w+=(.*)$", "\n".join(units.values()), re.MULTILINE)

    assert listening == ["/run/reconciler/helper.sock"]
    assert "SocketMode=0660" in units["reconciler-helper.socket"]
    assert "SocketGroup=reconciler" in units["reconciler-helper.socket"]


def test_the_daemon_owns_no_directory_that_root_works_below(host: Evaluation) -> None:
    """Whoever owns a directory can put another in the place of one in it."""
    rules = [rule.split() for rule in host.get("config.systemd.tmpfiles.rules")]
    owners = {path: user for kind, path, _mode, user, _group, *_ in rules if kind == "d"}

    home = "/var/lib/reconciler"
    rooted = ("", "/activation", "/helper", "/keys", "/restore-tests", "/scratch", "/trust")
    assert {owners[home + name] for name in rooted} == {"root"}
    service = host.get("config.systemd.services.reconciler.serviceConfig")
    assert service["StateDirectory"] == ["reconciler/state", "reconciler/evidence"]
    assert service["ReadWritePaths"] == ["/var/lib/reconciler/tickets"]
    assert owners["/var/lib/reconciler/tickets"] == "reconciler"
    verify = host.get("config.systemd.services.reconciler-store-verify.serviceConfig")
    assert "User" not in verify, "the daemon cannot write the record that it is judged by"


def test_an_evaluation_fits_below_the_limit_of_the_service(
    nix_store: NixStore,
) -> None:
    limit = "config.systemd.services.reconciler.serviceConfig.MemoryMax"

    assert Evaluation(nix_store, COMPLETE, EVALUATING).get(limit) == f"{512 + 3072}M"
    assert Evaluation(nix_store, MINIMAL).get(limit) == "512M"


def test_an_activation_does_not_restart_who_conducts_it_but_renews_it(host: Evaluation) -> None:
    services = "config.systemd.services"
    for name in ("reconciler", "reconciler-helper", "reconciler-boot-watchdog"):
        assert host.get(f"{services}.{name}.restartIfChanged") is False, name

    triggers = host.get(f"map toString {services}.reconciler-renew.restartTriggers")
    assert triggers == [
        host.get("toString config.services.reconciler.package"),
        host.settings_text(),
    ]
    renew = host.get(f"{services}.reconciler-renew.serviceConfig")
    assert "--kill-whom=main --signal=SIGTERM reconciler.service" in renew["ExecStart"]
    assert renew["ExecStart"].startswith("-"), "a daemon that is not there fails no switch"
    assert host.get(f"{services}.reconciler.serviceConfig.Restart") == "always"


def test_a_boot_does_not_end_the_daemon_that_it_started(host: Evaluation) -> None:
    """At boot there must be nothing yet that the signal could reach; later no order counts."""
    renew = host.get("config.systemd.services.reconciler-renew")

    assert "reconciler.service" in renew["before"]
    assert renew["after"] == []


def test_secrets_reach_the_service_by_credentials_alone(
    host: Evaluation, units: dict[str, str]
) -> None:
    text = units["reconciler.service"]

    assert re.findall(r"^LoadCredential=(.*)$", text, re.MULTILINE) == ["desk:/run/secrets/desk"]
    assert sorted(re.findall(r"^LoadCredentialEncrypted=(.*)$", text, re.MULTILINE)) == [
        "appliance:/var/lib/reconciler/keys/appliance.cred",
        "deploy:/var/lib/reconciler/keys/deploy.cred",
    ]
    assert "Environment" not in text


def test_the_boot_watchdog_restarts_a_machine_that_nobody_confirmed_once(host: Evaluation) -> None:
    unit = "config.systemd.services.reconciler-boot-watchdog"
    script = host.get(f"{unit}.script")

    assert host.get(f"{unit}.unitConfig.ConditionPathIsSymbolicLink").endswith("/awaiting-boot")
    assert "/run/booted-system" in script, "another booted system has nothing to wait for"
    assert script.count("reboot") == 1
    timer = host.get("config.systemd.timers.reconciler-boot-watchdog.timerConfig")
    assert timer["OnBootSec"] == host.get("config.services.reconciler.system.watchdogS") == 900


REFUSED = {
    "a credential that nobody passes": (
        'evidence.key = "credential:lost";',
        ["services.reconciler.evidence.key names credential:lost"],
    ),
    "a channel of no plain name": (
        'notify."The Desk" = { kind = "file"; directory = "/x"; };',
        ["services.reconciler.notify.The Desk: the name"],
    ),
    "a webhook that is a path": (
        'notify.x = { kind = "webhook"; url = "/x"; secret = "/y"; };',
        ["services.reconciler.notify.x.url: a webhook"],
    ),
    "a cache that is believed unsigned": (
        'system = { inherit publicKeys; caches = [ "https://c.example.org?trusted=1" ]; };',
        ["services.reconciler.system.caches: a cache may not be trusted"],
    ),
    "a credential that nobody uses": (
        'credentials.spare.source = "/run/spare";',
        ["services.reconciler.credentials.spare is passed and nothing names it"],
    ),
    "a secret in the store": (
        'fleet.tokenFile = builtins.storeDir + "/x-token";',
        ["services.reconciler.fleet.tokenFile is in the Nix store"],
    ),
    "a credential out of the store": (
        'evidence.key = "credential:a"; credentials.a.source = builtins.storeDir + "/x";',
        ["services.reconciler.credentials.a.source is in the Nix store"],
    ),
    "an apprise address in the store": (
        'notify.x = { kind = "apprise"; url = builtins.storeDir + "/x"; };',
        ["services.reconciler.notify.x.url is in the Nix store"],
    ),
    "state where the unit may not write": (
        'state = "/srv/state";',
        ["services.reconciler.state must be /var/lib/reconciler/state or below it"],
    ),
    "evidence where the unit may not write": (
        'evidence.repository = "/var/lib/reconciler/evidence-of-ours/x.git";',
        ["services.reconciler.evidence.repository must be below /var/lib/reconciler/evidence"],
    ),
    "SSH without a key": (
        'fleet.url = lib.mkForce "git@git.example.org:fleet.git";',
        ["services.reconciler.fleet.url is reached by SSH"],
    ),
    "SSH without the server's key": (
        'evidence.remote = { url = "ssh://git@e/x.git"; sshKey = "/k"; };',
        ["services.reconciler.evidence.remote.url is reached by SSH"],
    ),
    "a file of known servers that names none": (
        'evidence.remote = { url = "ssh://git@e/x.git"; sshKey = "/k";'
        ' knownHosts = "/etc/ssh/ssh_known_hosts"; };',
        ["services.reconciler.evidence.remote.knownHosts is what programs.ssh.knownHosts makes"],
    ),
    "a webhook without its secret": (
        'notify.x = { kind = "webhook"; url = "https://x"; };',
        ["services.reconciler.notify.x: a channel of kind webhook needs url, secret"],
    ),
    "a channel with another kind's option": (
        'notify.x = { kind = "file"; directory = "/x"; token = "/t"; };',
        ["services.reconciler.notify.x: a channel of kind file"],
    ),
    "azure without its version": (
        'advise = { kind = "azure"; model = "m"; baseUrl = "https://x"; key = "/k";'
        ' deployment = "d"; };',
        ["services.reconciler.advise: azure needs"],
    ),
    "an evaluation beside the helper": (
        "system.evaluate = { };",
        ["services.reconciler.system.evaluate: the helper takes only systems that a release"],
    ),
    "a system from nowhere": ("system = { };", ["services.reconciler.system needs caches"]),
    "a watchdog that bites a good system": (
        "system = { inherit caches publicKeys; watchdogS = 300; };",
        ["services.reconciler.system.watchdogS must be at least"],
    ),
    "releases without their branch": (
        "system = { inherit caches publicKeys; }; fleet.attestations = null;",
        ["services.reconciler.system: releases lie on the attestations branch"],
    ),
}


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.replace(" ", "-"))
def test_what_types_cannot_say_is_refused_with_what_to_do(nix_store: NixStore, case: str) -> None:
    setting, messages = REFUSED[case]
    words = (
        'let caches = [ "https://c.example.org" ];'
        ' publicKeys = [ "c-1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" ]; in'
    )
    module = f"{{ lib, ... }}: {words} {{ services.reconciler = {{ {setting} }}; }}"

    refused = Evaluation(nix_store, MINIMAL, module).refusals()

    assert len(refused) == len(messages), refused
    for message in messages:
        assert any(message in one for one in refused), refused


def test_what_is_enough_is_not_refused(nix_store: NixStore) -> None:
    assert Evaluation(nix_store, MINIMAL).refusals() == []
