"""The guest: peers and this project installed, an appliance enrolled, drifts seeded."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.host_tick.peers import HOMES, RESIDENT
from benchmarks.installed import PROJECT, install
from tests.support.commands import host
from tests.support.guest import Guest, first_booted, require_guest
from tests.support.image import Image, build_image
from tests.support.leftovers import sweep

HERE = Path(__file__).parent
FILLED = 70
"""Entries in a ledger before it is measured: a process proves the newest 16 at first."""

SEEDED = frozenset(
    {
        "sysctl-accept-redirects",
        "sysctl-send-redirects",
        "time-synchronised",
        "secret-files-private",
    }
)
_CIPHERS = (
    "chacha20-poly1305@openssh.com aes256-gcm@openssh.com aes128-gcm@openssh.com aes256-ctr "
    "aes192-ctr aes128-ctr"
)
_MACS = (
    "hmac-sha2-512-etm@openssh.com hmac-sha2-256-etm@openssh.com umac-128-etm@openssh.com "
    "hmac-sha2-512 hmac-sha2-256"
)
_KEX = (
    "mlkem768x25519-sha256 sntrup761x25519-sha512 sntrup761x25519-sha512@openssh.com "
    "curve25519-sha256 curve25519-sha256@libssh.org ecdh-sha2-nistp256 ecdh-sha2-nistp384 "
    "ecdh-sha2-nistp521 diffie-hellman-group-exchange-sha256 diffie-hellman-group16-sha512 "
    "diffie-hellman-group18-sha512"
)


@contextmanager
def bench_guest() -> Iterator[Guest]:
    """Boot it; everything is gone afterwards.

    Raises:
        RuntimeError: This machine cannot boot a guest; says why.
        CommandFailed: Something could not be built, booted or set up.
    """
    lacking = require_guest()
    if lacking:
        raise RuntimeError(f"host_tick needs the systemd guest: {lacking}")
    sweep()
    image = build_image()
    with (
        first_booted(image) as booted,
        Guest.boot(booted.with_layer(peers_layer(booted)), "bench") as guest,
    ):
        guest.wait_for_clock()
        _install(guest, image)
        for resident in RESIDENT.values():
            guest.run("systemd-run", "--quiet", f"--unit={resident.unit}", *resident.argv)
        yield guest


def seed(guest: Guest) -> None:
    """Break what `SEEDED` names: two sysctls, the clock's sources, the mode of a secret file."""
    for name in ("accept_redirects", "send_redirects"):
        guest.run("sysctl", "-qw", f"net.ipv4.conf.all.{name}=1")
    guest.run("chmod", "0644", "/etc/restic/nightly.password")
    guest.write("/etc/chrony/chrony.conf", "server 192.0.2.250 iburst\n")
    guest.run("systemctl", "restart", "chrony.service")
    guest.until("sh", "-c", "chronyc -n tracking | grep -q 'Not synchronised'")


def peers_layer(image: Image) -> Path:
    """The layer of ci/bench_peers.sh, which goes on top of the image."""
    root = image.layers[-1]
    built = root.parent.parent / "bench-peers"
    script = str(PROJECT / "ci/bench_peers.sh")
    host(script, str(root), str(built), timeout=900, env=os.environ)
    return built / "layer"


def _install(guest: Guest, image: Image) -> None:
    """This project, compiled, and the peers' policies; then one appliance in several copies."""
    bench = guest.share / "bench"
    install(bench / "app", compiled=False)
    # A copy: the cached one is replaced when the project's pins change.
    shutil.copytree(image.site_packages, bench / "site-packages")
    guest.run("python3", "-m", "compileall", "-q", "/share/bench/app", "/share/bench/site-packages")
    guest.write(
        "/usr/local/lib/python3.11/dist-packages/reconciler.pth",
        "/share/bench/app\n/share/bench/site-packages\n",
    )
    key = image.admin_key.with_suffix(".pub")
    fingerprint = host("ssh-keygen", "-l", "-f", str(key)).split()[1]
    values = {
        "CIPHERS": _list_of(_CIPHERS),
        "MACS": _list_of(_MACS),
        "KEX": _list_of(_KEX),
        "FINGERPRINT": fingerprint,
        "KEY_SHA256": hashlib.sha256(key.read_bytes()).hexdigest(),
    }
    for folder in ("policies", "guest_side"):
        _fill_in(HERE / folder, bench / folder, values)
    _enrol(guest, fingerprint)


def _fill_in(source: Path, destination: Path, values: dict[str, str]) -> None:
    destination.mkdir()
    for file in source.iterdir():
        if not file.is_file():
            continue
        text = file.read_text()
        for name, value in values.items():
            text = text.replace(f"@{name}@", value)
        (destination / file.name).write_text(text)
        # CFEngine refuses a policy that others may write.
        (destination / file.name).chmod(0o600)


def _list_of(words: str) -> str:
    """A regular expression for a comma-separated list of some of these words."""
    one = f"({'|'.join(words.split())})"
    return f"{one}(,{one})*"


def _enrol(guest: Guest, fingerprint: str) -> None:
    """One appliance with a filled ledger, copied for each row that holds its lock."""
    first = f"{HOMES}/first"
    guest.run("reconciler", "init", first)
    declared = (HERE / "workstation.yaml").read_text().replace("@FINGERPRINT@", fingerprint)
    guest.write(f"{first}/fleet/hosts/example-clinic/workstation.yaml", declared)
    commit = ("commit", "--quiet", "--all", "--message", "Declare the guest")
    guest.run("git", "-C", f"{first}/fleet", *commit)
    script = "/share/bench/guest_side/fill.py"
    guest.run("python3", "-I", script, f"{first}/reconciler.yaml", str(FILLED), timeout=300)
    for copy in ("cold", "look", "run"):
        guest.run("cp", "-a", first, f"{HOMES}/{copy}")
