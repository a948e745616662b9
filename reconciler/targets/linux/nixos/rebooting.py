"""Restart the machine into a system, once: StageBoot, RebootInto, ConfirmBoot.

Source: systemd-boot(7), bootctl(1). The loader's default stays what was proven; a one-shot entry is
used up by the boot that follows, whether or not it comes up.

Rule 1: What was restarted into becomes the default only after it was seen to run and to be as
        healthy as what ran before.
Rule 2: A restart that did not happen says nothing about the system.
"""

from reconciler.model.system_operation import (
    ConfirmBoot,
    RebootInto,
    SetProfile,
    StageBoot,
)
from reconciler.programs.bounded import Bounds
from reconciler.targets.linux.bus import manager
from reconciler.targets.linux.nixos import health, links, order, switching, way_back
from reconciler.targets.linux.nixos.order import Order
from reconciler.targets.linux.nixos.trusted import access_of, trusted
from reconciler.targets.linux.nixos.way_back import Back
from reconciler.targets.linux.no_answer import NoAnswer
from reconciler.targets.linux.process import run_program
from reconciler.targets.linux.running import failure
from reconciler.targets.linux.session import Session
from reconciler.targets.linux.unit_actions import act

_OUTPUT = 64 * 1024


def stage_boot(operation: StageBoot, session: Session) -> None:
    """Record what is in force, and write entries for all generations; the default stays.

    Raises:
        NoAnswer: What is in force is not what was planned for, or the entries cannot be written.
    """
    access_of(session)
    path = trusted(operation.system, session).path
    begun = way_back.begin("boot", path, operation.previous, operation.generation, session)
    order.write(health.baseline(begun, session), session)
    switching.set_profile(SetProfile(path), session)
    switching.write_entries(begun.default, path, operation.timeout_s, session)


def reboot_into(operation: RebootInto, session: Session) -> None:
    """Have the loader boot the staged system once, and restart.

    Raises:
        NoAnswer: It is not staged, the loader knows no such entry, or systemd refused.
    """
    path = trusted(operation.system, session).path
    begun = order.read()
    if begun is None or (begun.kind, begun.system) != ("boot", path):
        raise NoAnswer("error", "the system was not staged to be booted")
    if links.system_of(links.generation()) != path:
        raise NoAnswer("error", "the newest generation is another system than the staged one")
    bootctl = links.program("bootctl", (path, begun.previous, "/run/current-system"))
    _one_shot(bootctl, f"nixos-generation-{links.generation()}.conf", session)
    order.await_boot(path)
    try:
        act(manager("Reboot"), session)
    except NoAnswer:
        _one_shot(bootctl, "", session)
        raise


def confirm_boot(_operation: ConfirmBoot, session: Session) -> None:
    """After the restart: what was booted and is healthy becomes the default.

    Raises:
        NoAnswer: Another system came up, or it is not as healthy as what ran before.
    """
    begun = order.read()
    if begun is None or begun.kind != "boot":
        return
    if begun.boot == order.boot_id():
        _unstage(begun, session)
        way_back.go_back(Back.of(begun), session)
        return
    if links.booted() != begun.system:
        _fell_back(begun, session)
    try:
        health.until_healthy(begun, session)
    except NoAnswer as unwell:
        links.point(links.UNPROVEN, begun.system)
        way_back.go_back(Back.of(begun), session)
        raise NoAnswer("error", f"after the restart {unwell.reason}") from unwell
    if not way_back.still_trusted(begun.system, session):
        way_back.go_back(Back.of(begun), session)
        raise NoAnswer("denied", f"{begun.system} is not the trusted system any more")
    way_back.forward(begun, session)


def _unstage(begun: Order, session: Session) -> None:
    """A restart that comes later for another reason is not one into the system."""
    if order.AWAITING_BOOT.is_symlink():
        bootctl = links.program("bootctl", (begun.previous, "/run/current-system"))
        _one_shot(bootctl, "", session)


def _fell_back(begun: Order, session: Session) -> None:
    came = links.booted()
    if links.running() == begun.previous:
        way_back.go_back(Back.of(begun), session)
    else:
        # What runs now was the loader's default: it is proven, and the profile follows it.
        switching.profile("--switch-generation", str(begun.generation), session=session)
        order.clear()
    raise NoAnswer("error", f"{came} came up, not the system that was restarted into")


def _one_shot(bootctl: str, entry: str, session: Session) -> None:
    ran = run_program(bootctl, ("set-oneshot", entry), (), Bounds(session.deadline, _OUTPUT))
    if ran.exit != 0:
        raise NoAnswer("error", failure("bootctl", ran.exit, ran.stderr))
