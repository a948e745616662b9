"""What a release says: the systems of every NixOS host of a commit, built from an export of it.

Rule 1: All hosts or none: a host that is left out would stay where it is, and nobody would know.
Rule 2: What is built is the commit, read by the reader that appliances use; the work tree of the
        clone is not looked at.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from reconciler.desired.attest.clone import AttestClone, whole_history
from reconciler.desired.export import exported
from reconciler.desired.fleet import read_fleet
from reconciler.desired.limits import READ_LIMITS
from reconciler.desired.objects import Objects
from reconciler.desired.problem import FleetInvalid
from reconciler.desired.tree import FleetTree
from reconciler.desired.trust.systems import Named, Releases
from reconciler.engine.trusted.expectations import require_readable
from reconciler.engine.trusted.system import KIND
from reconciler.errors import EvidenceError, InputError
from reconciler.keyless.bundles import MAX_PAYLOAD
from reconciler.model.system import MAX_CHANGES, Closure, ClosureDiff
from reconciler.nix import build, closure
from reconciler.nix.evaluate import Evaluated, attribute_of, evaluate
from reconciler.nix.process import THIS_MACHINE, NixStore, Told
from reconciler.trust.statements import Release, System, write

NOTHING_BEFORE = ClosureDiff(None, (), 0)

_SPLIT = "Split the fleet: a repository for some of the clients, a release for each."


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """Where systems are built, and where they go.

    Attributes:
        state: Which Nix and store; None: this machine's.
        timeout_s: Seconds that each evaluation, the build and the copy may take.
        memory_bytes: Address space of each evaluation; None: no limit.
        cache: Address of the binary cache that closures are copied to; None: they are not.
        cache_key: File with the key that signs them.
        earlier: Address of a cache that has the systems of earlier releases, if not the same.
        told: Gets how far it came, and what Nix said where it fails; nobody's secrets are in a
            fleet repository.
    """

    state: NixStore | None = None
    timeout_s: float = 7200.0
    memory_bytes: int | None = None
    cache: str | None = None
    cache_key: Path | None = None
    earlier: str | None = None
    told: Told | None = None

    def tell(self, text: str) -> None:
        """Say something to whoever waits."""
        if self.told is not None:
            self.told(text.encode())


def hosts_to_build(clone: AttestClone, commit: str) -> tuple[str, ...]:
    """The NixOS hosts of a commit, ``<client>/<host>``, sorted.

    Raises:
        FleetInvalid: A document cannot be read, so nobody knows whether it is a host.
        InputError: Two hosts have one attribute in the flake.
        IntentRefused: The tree would be refused.
    """
    objects = Objects(clone.repository, READ_LIMITS)
    fleet = read_fleet(FleetTree(objects, commit, READ_LIMITS).files())
    errors = [problem for problem in fleet.problems if problem.severity == "error"]
    if errors:
        raise FleetInvalid(errors)
    hosts = sorted(target for target, host in fleet.hosts.items() if host.kind == KIND)
    seen: dict[str, str] = {}
    for host in hosts:
        other = seen.setdefault(attribute_of(host), host)
        if other != host:
            message = f"{other} and {host} have one attribute in the flake: {attribute_of(host)}"
            raise InputError(message, hint="Give one of the two hosts another name.")
    return tuple(hosts)


def build_systems(
    clone: AttestClone, commit: str, workshop: Workshop, releases: Releases
) -> dict[str, System]:
    """Evaluate and build the system of every NixOS host, and copy all closures to the cache.

    Args:
        clone: Holds the commit.
        commit: Hex id.
        workshop: Where.
        releases: Of the line of the commit; what each system is compared with.

    Raises:
        FleetInvalid: The documents of the commit cannot be read.
        InputError: Two hosts have one attribute, the flake gives something else than a system,
            there are too many for one release, what one declares cannot be read, or the clone lacks
            the history that says what was released before.
        IntentRefused: The tree would be refused.
        MachineError: An evaluation, a build or a copy failed, or took too long.
    """
    hosts = hosts_to_build(clone, commit)
    # Asked before anything is built, so that nobody waits for an error.
    with whole_history():
        before = {host: _before(releases, host, commit) for host in hosts}
    found = dict(_evaluated(clone, commit, hosts, workshop))
    require_fit(found)
    wanted, timeout_s = list(found.values()), workshop.timeout_s
    workshop.tell(f"building for {len(wanted)} hosts")
    build.build(wanted, timeout_s=timeout_s, state=workshop.state, told=workshop.told)
    _require_documents(wanted, workshop.state or THIS_MACHINE)
    if workshop.cache is not None and found:
        paths, key = [system.path for system in wanted], workshop.cache_key
        workshop.tell(f"copying to {workshop.cache}")
        build.push(paths, workshop.cache, key=key, timeout_s=timeout_s, state=workshop.state)
    return {host: _described(system, before[host], workshop) for host, system in found.items()}


def fitted(release: Release) -> bytes:
    """The payload of a release; the more hosts it has, the fewer packages each diff names.

    Raises:
        EvidenceError: It is too large even without any.
    """
    most = MAX_CHANGES
    while most:
        with suppress(EvidenceError):
            return _written(release, most)
        most //= 2
    return _written(release, 0)


def require_fit(found: Mapping[str, Evaluated]) -> None:
    """That one release can name all these systems, before they are built.

    Raises:
        InputError: There are too many.
    """
    nothing = "0" * 64
    largest = Closure(10**6, 10**12, nothing)
    systems = {
        host: System(one.drv, one.path, nothing, largest, ClosureDiff(one.path, (), 10**6))
        for host, one in found.items()
    }
    commit = "0" * 40
    now = datetime(2000, 1, 1, tzinfo=UTC)
    try:
        _written(Release("main", commit, nothing, commit, nothing, now, systems), 0)
    except EvidenceError as error:
        raise InputError(
            f"the commit has {len(found)} NixOS hosts, more than one release can name",
            hint=_SPLIT,
        ) from error


def _written(release: Release, most: int) -> bytes:
    payload = write(replace(release, systems=_shortened(release.systems, most)))
    if len(payload) > MAX_PAYLOAD:
        # What is signed without a key has less room than what a key signs.
        raise EvidenceError(f"release of {len(payload)} bytes is too large", hint=_SPLIT)
    return payload


def _evaluated(
    clone: AttestClone, commit: str, hosts: Iterable[str], workshop: Workshop
) -> Iterator[tuple[str, Evaluated]]:
    with exported(Objects(clone.repository, READ_LIMITS), commit) as flake:
        for host in hosts:
            workshop.tell(f"evaluating {host}")
            system = evaluate(
                flake,
                host,
                timeout_s=workshop.timeout_s,
                memory_bytes=workshop.memory_bytes,
                state=workshop.state,
                told=workshop.told,
            )
            yield host, system


def _require_documents(systems: Iterable[Evaluated], state: NixStore) -> None:
    """That appliances can read what each system declares: else they know nothing of a machine."""
    for system in systems:
        try:
            require_readable(state.root, system.path)
        except InputError as error:
            raise InputError(
                f"{system.target}: {error.message}",
                hint="Change what its configuration says there, or use modules of this version.",
            ) from error


def _before(releases: Releases, host: str, commit: str) -> str | None:
    """The system of the newest earlier release that counts."""
    for one in releases.systems(host, None):
        if isinstance(one, Named) and one.commit != commit:
            return one.system.path
    return None


def _described(system: Evaluated, before: str | None, workshop: Workshop) -> System:
    built = build.facts_of(system, state=workshop.state)
    diff = _diff(system, before, workshop)
    return System(built.drv, built.path, built.nar_sha256, built.closure, diff)


def _diff(system: Evaluated, before: str | None, workshop: Workshop) -> ClosureDiff:
    """How a closure differs; from nothing, where the one before can be had nowhere any more."""
    if before is None:
        return NOTHING_BEFORE
    state, timeout_s, told = workshop.state, workshop.timeout_s, workshop.told
    cache = workshop.earlier or workshop.cache
    old = build.packages_of(before, cache=cache, timeout_s=timeout_s, state=state, told=told)
    new = build.packages_of(system.path, cache=None, timeout_s=timeout_s, state=state)
    if old is None or new is None:
        where = "in this store" if cache is None else f"in this store or {cache}"
        lost = f"{before}, which {system.target} had before, is not {where}"
        workshop.tell(f"note: {lost}: what differs is not said")
        return NOTHING_BEFORE
    return closure.diff(old, new, since=before)


def _shortened(systems: Mapping[str, System], most: int) -> dict[str, System]:
    return {host: replace(one, diff=_cut(one.diff, most)) for host, one in systems.items()}


def _cut(diff: ClosureDiff | None, most: int) -> ClosureDiff | None:
    if diff is None or len(diff.changes) <= most:
        return diff
    return replace(
        diff,
        changes=diff.changes[:most],
        left_out=diff.left_out + len(diff.changes) - most,
    )
