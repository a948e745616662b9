"""A guest that is a NixOS in all that activation and drift can see, with a real Nix in it.

PID 1 is a boot loader (`tests/support/nixos/boot_loader.sh`): it reads /boot and hands over to the
stage 2 of the system that it finds there, so what a machine comes up with after a power cut is
what is on its disk. /nix is a directory of the guest's own, no overlay, and stays over a power cut
as the rest of the disk does. One thing a power cut does not do here: lose what was written and not
yet flushed (`tests/crash/test_power_cut.py` does that, by system calls).
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.testing.rig.nspawn import RESTARTS
from tests.support.commands import MINIMAL_ENV, CommandFailed, host
from tests.support.guest import ADDRESS, Guest
from tests.support.image import Image
from tests.support.lan import Lan
from tests.support.nix_runtime import NixStore
from tests.support.nixos_base import MachineFacts, base_system, clinic_units, documented
from tests.support.nixos_systems import RECIPE, System, build_system

__all__ = ["CACHE", "CURRENT", "PROFILE", "NixosGuest", "NixosSite", "listening", "nixos_site"]

PROFILE = "/nix/var/nix/profiles/system"
CURRENT = "/run/current-system"
CACHE = "/srv/cache"
"""Where a guest sees the binary cache of its site; ``file:///srv/cache`` for Nix."""

CACHE_KEY = "clinic-cache-1"
_RESTART_DEADLINE_S = 60
_LOADER = "/usr/lib/clinic/boot-loader"
_NIX = f"{CURRENT}/sw/bin"

_CONVERT = """
set -eu
units=/etc/systemd/system
for unit in $UNITS; do
  find $units -type l -name "$(basename "$unit")" -delete
  rm "$units/$unit"
done
find $units -type d -empty -delete
cp -a --remove-destination $units/. /usr/lib/systemd/system/
rm -r $units
ln -s /etc/static/systemd/system $units
rm -f /etc/sysctl.d/60-clinic.conf /etc/nftables.conf
find /usr -xdev -perm /6000 -type f -exec chmod ug-s {} +
touch /etc/NIXOS
install -d -m 0755 /boot/loader/entries
"""


@dataclass(frozen=True)
class NixosSite:
    """What the guests of one test session share.

    Attributes:
        image: What they boot from.
        store: A store of this machine, where their systems are built.
        base: What they run at first, and its path.
        cache: Directory of the signed binary cache; a guest has it at `CACHE`.
        public_key: ``name:base64`` of the cache's key.
    """

    image: Image
    store: NixStore
    base: System
    base_path: str
    cache: Path
    public_key: str

    def build(self, system: System) -> str:
        """Build a system on this machine and return its path; no guest has it yet."""
        return build_system(self.store, system)

    def publish(self, *paths: str) -> None:
        """Copy paths and all that they need into the cache, signed."""
        publish(self.store, self.cache, *paths)

    def failing(self, where: str) -> System:
        """The first system, made to fail at one of `nixos_systems.FAILURES`."""
        label = f"26.05.{where.replace(':', '-')}"
        return documented(replace(self.base, label=label, fails=where))

    def release(self, system: System) -> str:
        """Build and publish."""
        path = self.build(system)
        self.publish(path)
        return path

    def boot(
        self, name: str = "nixos", *, lan: Lan | None = None, address: str = ADDRESS
    ) -> "NixosGuest":
        """Boot a pristine guest that runs `base`."""
        guest = NixosGuest.boot(self.image, name, lan=lan, address=address)
        assert isinstance(guest, NixosGuest)
        return guest


class NixosGuest(Guest):
    """One machine that runs a system of a store."""

    degraded_too = False
    """Whether a boot with failed units counts as one."""

    @property
    def nix_disk(self) -> Path:
        """Where this guest's /nix lies on the host; only look at it, or damage it."""
        return self._machine.disk(0)

    def power_on(self) -> None:
        """Boot on the disk as it is now.

        Raises:
            CommandFailed: It did not come up, or has failed units and `degraded_too` is not set.
        """
        try:
            super().power_on()
        except CommandFailed as failure:
            if not self.degraded_too or not str(failure).startswith("the guest is degraded"):
                raise

    def restart(self) -> None:
        """Wait until it goes down by itself to restart, and boot as its firmware would.

        Raises:
            CommandFailed: It did not go down, or was switched off; or see `power_on`.
        """
        ended = self._machine.wait(_RESTART_DEADLINE_S)
        if ended != RESTARTS:
            raise CommandFailed(f"the guest did not restart; it ended with {ended}")
        self.cut_power()
        self.power_on()

    def nix(
        self, program: str, *argv: str, check: bool = True, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of the current system's Nix as root."""
        return self.run(f"{_NIX}/{program}", *argv, check=check, timeout=timeout)

    def fetch(self, path: str, key: str) -> None:
        """Realise a path from the site's cache, as an appliance does."""
        options = ("--option", "substituters", f"file://{CACHE}", "--option", "max-jobs", "0")
        self.nix("nix-store", *options, "--option", "trusted-public-keys", key, "--realise", path)

    def switch(
        self, path: str, action: str, *, check: bool = True, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a system's own switch-to-configuration."""
        command = f"{path}/bin/switch-to-configuration"
        return self.run(command, action, check=check, timeout=timeout)

    def set_profile(self, path: str) -> int:
        """Make a new generation of the system profile, and return its number."""
        self.nix("nix-env", "--profile", PROFILE, "--set", path)
        return self.generation()

    def install(self, path: str) -> int:
        """Set the profile, switch and make it the boot default: a deployment as by hand."""
        generation = self.set_profile(path)
        self.switch(path, "switch")
        return generation

    def generation(self) -> int:
        """Number of the profile's generation."""
        return int(self._link(PROFILE).split("-")[1])

    def running(self) -> str:
        """The system that runs."""
        return self._link(CURRENT)

    def booted(self) -> str:
        """The system that was booted."""
        return self._link("/run/booted-system")

    def profile(self) -> str:
        """The system of the profile."""
        return self.run("readlink", "-f", PROFILE).stdout.strip()

    def boot_default(self) -> str:
        """The system that the next boot takes, if nothing was chosen for that boot alone."""
        script = (
            "entry=$(sed -n 's/^default  *//p' /boot/loader/loader.conf);"
            r"sed -n 's,^options  *init=\(.*\)/init .*,\1,p' /boot/loader/entries/$entry"
        )
        return self.run("sh", "-c", script).stdout.strip()

    def shrink_disk(self, free: int) -> None:
        """Let the whole disk have only so many bytes left; `grow_disk` undoes it."""
        self._resize(self._used() + free)

    def grow_disk(self) -> None:
        """Give the disk its first size again."""
        self._resize(1 << 30)

    def _link(self, path: str) -> str:
        return self.run("readlink", path).stdout.strip()

    def _used(self) -> int:
        size = subprocess.run(
            ["df", "--block-size=1", "--output=used", str(self.share)],
            capture_output=True,
            text=True,
            check=True,
        )
        return int(size.stdout.split()[1])

    def _resize(self, size: int) -> None:
        host("mount", "-o", f"remount,size={size}", str(self.share.parent))


@contextmanager
def listening(lan: Lan, address: str, port: int) -> Iterator[None]:
    """Let somebody listen on a guest's network, as a Git server does; nothing is answered."""
    program = ("python3", "-I", "-m", "http.server", str(port), "--bind", address)
    server = subprocess.Popen(
        ["nsenter", f"--net=/run/netns/{lan.netns}", "setpriv", "--pdeathsig", "KILL", *program],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=MINIMAL_ENV,
    )
    with server:
        try:
            yield
        finally:
            server.kill()


def publish(store: NixStore, cache: Path, *paths: str) -> None:
    """Copy paths of a store and all that they need into a binary cache, signed with its key."""
    key = store.directory / "cache.secret"
    store.run("nix", "copy", "--to", f"file://{cache}?secret-key={key}&compression=none", *paths)


@contextmanager
def nixos_site(image: Image, store: NixStore) -> Iterator[NixosSite]:
    """Make the guests' image from the Debian one: a guest converts itself, and is halted.

    Args:
        image: Debian after its first boot.
        store: An empty store of this machine.
    """
    cache, seed = store.directory / "cache-server", store.directory / "seed"
    for directory in (cache, seed):
        directory.mkdir()
    secret = store.run("nix", "key", "generate-secret", "--key-name", CACHE_KEY)
    (store.directory / "cache.secret").write_text(secret)
    public = store.run("nix", "key", "convert-secret-to-public", input=secret.encode())
    seen = ((store.runtime, str(store.runtime)), (cache, CACHE))
    fittings = replace(image.fittings, read_only=seen, disks=((seed, "/nix"),))
    with NixosGuest.boot(replace(image, fittings=fittings), "nixos-making") as guest:
        assert isinstance(guest, NixosGuest)
        base = base_system(_facts(guest))
        path = build_system(store, base)
        publish(store, cache, path)
        _convert(guest, store, path)
        guest.halt()
        made = replace(fittings, init=_LOADER, disks=((guest.nix_disk, "/nix"),))
        booted = replace(image.with_layer(guest.upper), fittings=made)
        yield NixosSite(booted, store, base, path, cache, public)


def _facts(guest: Guest) -> MachineFacts:
    keys = guest.read("/etc/ssh/authorized_keys.d/clinicadmin")
    return MachineFacts(guest.read("/etc/passwd"), guest.read("/etc/group"), keys)


def _convert(guest: Guest, store: NixStore, path: str) -> None:
    """Fetch the first system, let Debian's /etc step back, and write the first boot entry."""
    tools = store.runtime / "usr/bin"
    fetch = ("copy", "--no-check-sigs", "--from", f"file://{CACHE}", path)
    features = ("--extra-experimental-features", "nix-command")
    guest.run(str(tools / "nix"), *features, *fetch)
    guest.run(str(tools / "nix-env"), "--profile", PROFILE, "--set", path)
    guest.run("sh", "-c", _CONVERT, env={"UNITS": " ".join(clinic_units())})
    guest.write(_LOADER, (RECIPE / "boot_loader.sh").read_text(), 0o755)
    guest.run(f"{path}/bin/switch-to-configuration", "boot")
