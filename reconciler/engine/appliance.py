"""One appliance, opened: its settings, key, ledger, memory, catalogues, and the machine itself."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from reconciler.advise.adviser import Adviser
from reconciler.checks import catalogue as checks_catalogue
from reconciler.desired.source import FetchLimits, FleetSource
from reconciler.engine.clock import SystemClock
from reconciler.engine.introspect import LedgerWatch
from reconciler.engine.past import Past, recall
from reconciler.engine.sealing import Queue, load_queue
from reconciler.engine.settings import Home
from reconciler.engine.trusted.evaluations import Evaluations
from reconciler.engine.trusted.expectations import Documents
from reconciler.engine.upkeep.ages import Ages
from reconciler.engine.upkeep.equipment import Equipment, equip
from reconciler.ledger.lock import HostLock
from reconciler.ledger.reader import newest_first
from reconciler.ledger.sealed_keys import load_reference
from reconciler.ledger.store import Ledger, Record
from reconciler.ledger.verify import load_signers
from reconciler.model.answer import Answer
from reconciler.model.check import Check
from reconciler.model.desired import DesiredState
from reconciler.model.step import StepKind
from reconciler.ports import Clock, Target
from reconciler.steps import catalogue as steps_catalogue
from reconciler.targets.linux.nixos.access import SystemAccess, endpoint
from reconciler.targets.linux.target import LinuxTarget
from reconciler.transport.location import Access

TargetMaker = Callable[[str, Callable[[str], Answer]], Target]
"""From the root to look at, and the answers to `Internal` probes, to a target."""


@dataclass(slots=True)
class Appliance:
    """An opened appliance; holds the host's lock for as long as it is open.

    Attributes:
        resolved: The desired state that was resolved last; a commit never changes, so it stands
            for as long as that commit is asked for.
        watch: Looks at the ledger's newest entries, and remembers how far.
        queue: Runs that are on the disk and wait to be sealed.
        equipment: What keeps the evidence.
        ages: When each part of that last came about.
        documents: What systems of a NixOS host declare, read once.
        evaluations: Which commits could not be evaluated here.
        adviser: Who is asked instead of the endpoint of the settings; for simulations.
    """

    home: Home
    clock: Clock
    ledger: Ledger
    source: FleetSource
    checks: Mapping[str, Check]
    steps: Mapping[str, StepKind]
    past: Past
    make_target: TargetMaker
    watch: LedgerWatch
    queue: Queue
    equipment: Equipment
    ages: Ages
    documents: Documents = field(default_factory=Documents)
    evaluations: Evaluations = field(default_factory=Evaluations)
    resolved: DesiredState | None = None
    adviser: Adviser | None = None

    @property
    def name(self) -> str:
        """``<client>/<host>``."""
        return f"{self.home.settings.client}/{self.home.settings.host}"


@contextmanager
def open_appliance(
    home: Home, *, clock: Clock | None = None, make_target: TargetMaker | None = None
) -> Iterator[Appliance]:
    """Open an appliance for one or more runs.

    Args:
        home: Its settings.
        clock: Another clock, for tests.
        make_target: Another target than this machine, for tests.

    Raises:
        Busy: Another run holds this host.
        KeyMissing: There is no signing key; there is no unsigned path.
        LedgerMissing: The ledger is gone; memory is lost, so nothing may be applied.
        LedgerDamaged: The newest entries do not verify.
        InputError: The file of evidence signers cannot be read, or a setting of evidence is wrong.
        MachineError: A library that a setting of evidence needs is not installed.
    """
    settings = home.settings
    state = home.path(settings.state)
    with HostLock(state / "lock"), closing(equip(home)) as equipment:
        key = load_reference(settings.evidence.key, home.path, home.credentials)
        repository = home.path(settings.evidence.repository)
        signers = load_signers(home.path(settings.evidence.signers))
        with Ledger.open(
            repository, settings.client, settings.host, key, signers=signers
        ) as ledger:
            yield Appliance(
                home=home,
                clock=clock or SystemClock(),
                ledger=ledger,
                source=fleet_source(home),
                checks=checks_catalogue.load(),
                steps=steps_catalogue.load(),
                past=recall(ledger),
                make_target=make_target or partial(host_target, home),
                watch=LedgerWatch(ledger),
                queue=load_queue(state),
                equipment=equipment,
                ages=Ages(state),
            )


def linux_target(root: str, internal: Callable[[str], Answer]) -> Target:
    """This machine, or a directory tree of a Linux system, without what settings add to it."""
    return LinuxTarget(root=root, internal=internal)


def host_target(home: Home, root: str, internal: Callable[[str], Answer]) -> Target:
    """This machine as the settings say that steps are carried out on it."""
    local = local_target(home, internal, root)
    helper = home.settings.helper
    if helper is None or root != "/":
        return local
    # Most appliances of other systems have no helper.
    from reconciler.targets.helper.client import HelperTarget  # noqa: PLC0415 - lazy: see above

    return HelperTarget(local, home.path(helper))


def local_target(home: Home, internal: Callable[[str], Answer], root: str = "/") -> LinuxTarget:
    """This machine, with what this process itself may do to it."""
    return LinuxTarget(root=root, internal=internal, system=_system_access(home))


def _system_access(home: Home) -> SystemAccess | None:
    """How systems come here and are activated; None where settings do not say."""
    said = home.settings.system
    if said is None:
        return None
    return SystemAccess(
        caches=said.caches,
        public_keys=said.public_keys,
        realise_timeout_s=said.realise_timeout_s,
        max_bytes=said.max_gibibytes << 30,
        watchdog_s=said.watchdog_s,
        settle_s=said.settle_s,
        reach=endpoint(home.fleet_url),
    )


def read_ledger(home: Home) -> Iterator[Record]:
    """Proven entries, newest first, without the signing key and without the host's lock.

    Raises:
        InputError: The file of evidence signers cannot be read.
        LedgerMissing: There is no ledger of this appliance.
        LedgerDamaged: An entry does not verify.
    """
    evidence = home.settings.evidence
    signers = load_signers(home.path(evidence.signers))
    repository = home.path(evidence.repository)
    return newest_first(repository, home.settings.client, home.settings.host, signers)


def mirror_path(home: Home) -> Path:
    """Where the mirror of the fleet repository is, or will be."""
    return home.path(home.settings.state) / "fleet.git"


def fleet_source(home: Home, *, borrowed: bool = False) -> FleetSource:
    """The fleet repository that the settings name; nothing is fetched yet.

    Args:
        home: The settings.
        borrowed: The mirror is another user's, and is only read.
    """
    fleet = home.settings.fleet

    def path(text: str | None) -> Path | None:
        return home.path(text) if text else None

    return FleetSource(
        mirror=mirror_path(home),
        url=home.fleet_url,
        branch=fleet.branch,
        limits=FetchLimits(
            max_bytes=fleet.max_mebibytes * 1024 * 1024, timeout_s=float(fleet.timeout_s)
        ),
        access=Access(
            ssh_key=path(fleet.ssh_key),
            known_hosts=path(fleet.known_hosts),
            ca_file=path(fleet.ca_file),
            token_file=path(fleet.token_file),
        ),
        attestations=fleet.attestations,
        borrowed=borrowed,
    )
