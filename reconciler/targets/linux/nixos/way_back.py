"""The way back to what ran: ArmReturn, DisarmReturn, ReturnNow, FinishActivation.

Rule 1: It is armed before the first change, on the disk and in systemd, and taken away after the
        last. It runs nothing of ours: nix-env and the switch of the recorded system, from paths
        that nothing changes.
Rule 2: It leads to the recorded system and generation, not to "the one before", nor to one that
        whoever asks has chosen.
Rule 3: Checks by which a system may refuse a switch do not stop it: it goes back to what ran here.
Rule 4: That it led back is seen by looking.
"""

import os
from dataclasses import dataclass

from reconciler.model.operation import WriteFile
from reconciler.model.system_links import PROFILE, generation_link
from reconciler.model.system_operation import (
    ArmReturn,
    DisarmReturn,
    FinishActivation,
    ReturnNow,
)
from reconciler.targets.linux.nixos import health, links, order, switching, transient
from reconciler.targets.linux.nixos.order import Kind, Order
from reconciler.targets.linux.nixos.trusted import access_of, store_path, trusted
from reconciler.targets.linux.no_answer import NoAnswer
from reconciler.targets.linux.session import Session
from reconciler.targets.linux.writing import write_file

TIMER = "reconciler-return.timer"
SERVICE = "reconciler-return.service"

_LIMIT_S = 900
_SCRIPT = "/run/reconciler-return.sh"
# A file, because systemd 252 garbles quotes and dollars of a transient unit when it is reloaded,
# and a switch reloads it.
_TEXT = """\
# The way back, written before an activation began. See docs/howto/activation.md of reconciler.
export NIXOS_NO_CHECK=1 PATH='{path}'
# A switch that is still at work is ended first: two would stand in each other's way.
systemctl stop {switch}
# Boot entries are written for generations alone: the default needs one, if somebody deleted it.
for link in {profiles}-*-link
do [ "$(readlink -f "$link")" = '{default}' ] && found=yes
done
[ "$found" ] || nix-env -p {profiles} --set '{default}'
# The recorded generation if it is still what it was, else a new one of the same system.
if [ "$(readlink -f '{link}')" = '{profile}' ]
then nix-env -p {profiles} --switch-generation {generation}
else nix-env -p {profiles} --set '{profile}'
fi
'{default}/bin/switch-to-configuration' boot
'{system}/bin/switch-to-configuration' test
[ "$(readlink -f /run/current-system)" = '{system}' ] && rm -f {order} {awaiting}
"""


@dataclass(frozen=True, slots=True)
class Back:
    """Where the way back leads.

    Attributes:
        system: What is to run.
        generation: Number of the generation.
        profile: System of that generation.
        default: What the boot loader is to boot by itself.
        left: What it may not boot by itself; empty where nothing was switched.
    """

    system: str
    generation: int
    profile: str
    default: str
    left: str = ""

    @classmethod
    def of(cls, begun: Order) -> "Back":
        """As an order recorded it."""
        left = "" if begun.system == begun.default else begun.system
        return cls(begun.previous, begun.generation, begun.profile, begun.default, left)


def arm_return(operation: ArmReturn, session: Session) -> None:
    """Record what is in force and how healthy it is, then arm the way back to it.

    Raises:
        NoAnswer: What is in force is not what was planned for, or the way back cannot be armed;
            nothing was changed.
    """
    access = access_of(session)
    wanted = trusted(operation.system, session)
    begun = begin("switch", wanted.path, operation.previous, operation.generation, session)
    order.write(health.baseline(begun, session), session)
    try:
        clear(session)
        after = transient.timer("Reconciler: the way back, if nobody confirms", access.watchdog_s)
        transient.start(TIMER, after, session, ((SERVICE, _service(Back.of(begun), session)),))
    except (NoAnswer, OSError):
        # Nothing was changed, so there is nothing to bring to an end.
        order.clear()
        raise


def begin(kind: Kind, system: str, previous: str, generation: int, session: Session) -> Order:
    """An order for what is in force now, which nothing can collect as garbage any more.

    Raises:
        NoAnswer: Something else is in force than was planned for, or an activation is under way.
    """
    store_path(previous)
    in_force = (links.running(), links.generation())
    if in_force != (previous, generation):
        raise NoAnswer("error", "another system or generation is in force than was seen before")
    earlier = order.read()
    if earlier is not None and in_force != (earlier.previous, earlier.generation):
        raise NoAnswer("error", "an earlier activation was not brought to its end yet")
    of_generation = links.system_of(generation)
    if of_generation is None:
        raise NoAnswer("error", f"generation {generation} is gone, so there is no way back")
    links.let_go("profile")
    links.keep("previous", previous)
    links.keep("generation", of_generation)
    # What was made the default last, where the newest generation waits for a restart itself.
    default = links.lasting(of_generation, *links.kept("default"))
    links.keep("default", default)
    return Order(
        kind=kind,
        system=system,
        previous=previous,
        generation=generation,
        profile=of_generation,
        default=default,
        boot=order.boot_id(),
    )


def disarm_return(_operation: DisarmReturn, session: Session) -> None:
    """Take the way back away, where what was proven is what is in force.

    Raises:
        NoAnswer: Somebody switched meanwhile; or it is being gone at this moment, or could not be
            taken away.
    """
    begun = order.read()
    if begun is not None:
        strange = sorted({links.running(), links.newest()} - {begun.system})
        if strange:
            raise NoAnswer("error", f"somebody brought {strange[0]} into force meanwhile")
    transient.remove(TIMER, session)
    if transient.state(SERVICE, session).active not in {"", "inactive"}:
        raise NoAnswer("error", "the time was up: the way back is gone, or being gone")
    transient.remove(SERVICE, session)
    if begun is not None:
        links.keep("default", links.lasting(begun.system, begun.default))
    order.clear()


def return_now(operation: ReturnNow, session: Session) -> None:
    """Go back to the recorded system and generation, and see that they are in force.

    Raises:
        NoAnswer: It is not the recorded one, or it did not lead back.
    """
    begun = order.read()
    if begun is None:
        back = _only_profile(operation)
    elif (begun.previous, begun.generation) != (operation.previous, operation.generation):
        raise NoAnswer("denied", "this is not the way back that was recorded")
    else:
        back = Back.of(begun)
    go_back(back, session)


def finish_activation(_operation: FinishActivation, session: Session) -> None:
    """After a crash: forward where the candidate was proven healthy and runs, else back.

    Raises:
        NoAnswer: Neither led to an end.
    """
    begun = order.read()
    if begun is None:
        clear(session)
        return
    if begun.kind != "switch":
        return
    access_of(session)
    switching.clear_way(session)
    if begun.healthy and links.running() == begun.system and still_trusted(begun.system, session):
        forward(begun, session)
    else:
        go_back(Back.of(begun), session)


def still_trusted(system: str, session: Session) -> bool:
    """Whether a recorded candidate is still what the release in force names."""
    try:
        return trusted(system, session).path == system
    except NoAnswer:
        return False


def forward(begun: Order, session: Session) -> None:
    """Make a candidate that was proven last.

    Raises:
        NoAnswer: The profile or the boot entry could not be written.
    """
    switching.profile("--set", begun.system, session=session)
    default = links.lasting(begun.system, begun.default)
    switching.write_entries(default, begun.system, _LIMIT_S, session)
    disarm_return(DisarmReturn(), session)


def go_back(back: Back, session: Session) -> None:
    """Bring a recorded system and generation into force; see that they are.

    Raises:
        NoAnswer: They are not.
    """
    transient.remove(TIMER, session)
    # Where its time was up it is on its way already.
    transient.wait(SERVICE, session)
    if order.read() is not None or not _in_force(back):
        transient.remove(SERVICE, session)
        transient.start(SERVICE, _service(back, session), session)
        transient.wait(SERVICE, session)
    if not _in_force(back):
        raise NoAnswer(
            "error", f"the way back did not lead to {back.system} (journalctl -u {SERVICE})"
        )
    transient.remove(SERVICE, session)
    order.clear()


def clear(session: Session) -> None:
    """Have systemd forget an earlier way back that was gone or taken away.

    Raises:
        NoAnswer: It is being gone at this moment.
    """
    for name in (TIMER, SERVICE):
        if transient.state(name, session).active == "activating":
            raise NoAnswer("error", "an earlier way back is being gone at this moment")
        transient.remove(name, session)


def _only_profile(operation: ReturnNow) -> Back:
    """Without an order nothing was switched; the profile may have been, from the one it kept."""
    of_generation = links.system_of(operation.generation)
    known = {links.system_of(links.generation()), *links.kept("profile")}
    elsewhere = links.running() != operation.previous or of_generation not in known
    if of_generation is None or elsewhere:
        raise NoAnswer("denied", "no way back to that system was recorded")
    default = links.lasting(of_generation, *links.kept("default"))
    return Back(operation.previous, operation.generation, of_generation, default)


def _in_force(back: Back) -> bool:
    number = links.generation()
    same = number == back.generation or links.system_of(back.generation) != back.profile
    away = not back.left or links.boot_default() != back.left
    return (
        away and links.running() == back.system and same and links.system_of(number) == back.profile
    )


def _service(back: Back, session: Session) -> tuple[transient.Property, ...]:
    systems = (back.system, back.profile, "/run/current-system")
    text = _TEXT.format(
        path=":".join([*(f"{system}/sw/bin" for system in systems), "/usr/bin", "/bin"]),
        switch=switching.SWITCH,
        link=generation_link(back.generation),
        profile=back.profile,
        profiles=PROFILE,
        generation=back.generation,
        default=back.default,
        system=back.system,
        order=order.FILE,
        awaiting=order.AWAITING_BOOT,
    )
    write_file(WriteFile(_SCRIPT, text.encode(), mode=0o600), session)
    return transient.service("Reconciler: the way back", ((_shell(systems), _SCRIPT),), _LIMIT_S)


def _shell(systems: tuple[str, ...]) -> str:
    own = f"{systems[0]}/sw/bin/sh"
    return own if os.access(own, os.X_OK) else "/bin/sh"
