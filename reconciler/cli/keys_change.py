"""``reconciler keys rotate`` and ``reconciler keys replace``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.common import config_option, emit, home_of, json_option
from reconciler.cli.keys_authorize import document_of, read_given, words
from reconciler.cli.keys_common import (
    EXIT_CODES,
    FLEET_SIGNERS,
    check_sealed,
    edit_fleet,
    file_type,
    fleet_option,
    git_commands,
    held,
    key_option,
    protection,
    reason_option_values,
    service_lines,
    site_of,
)

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.engine.settings import Home
    from reconciler.evidence.entry import Clock
    from reconciler.evidence.key_change import Announcement
    from reconciler.ledger.key_site import Changed, Site
    from reconciler.model.answer import Answer

protect_option = click.option(
    "--protect",
    type=click.Choice(["same", "auto", "tpm", "host", "file"]),
    default="same",
    show_default=True,
    help="How the new key is kept; same: plain if it is plain now, else the strongest there is.",
)
reason_option = click.option(
    "--reason", type=click.Choice(reason_option_values), help="Why; goes into the entry."
)


@click.command(epilog=EXIT_CODES)
@config_option
@key_option
@protect_option
@reason_option
@fleet_option
@json_option
def rotate(
    config: Path | None,
    key_file: Path | None,
    protect: str,
    reason: str | None,
    fleet: Path | None,
    as_json: bool,
) -> None:
    """Change this appliance's key: the old one announces the new one, and signs no more.

    The service must be stopped. Whatever interrupts it, ask again: a change that was announced is
    finished, and not made twice. The new line must be in the fleet repository before auditors trust
    what the new key signs.

    \b
    Example:
      systemctl stop reconciler
      reconciler keys rotate --config /etc/reconciler/reconciler.yaml --fleet ~/fleet
      systemctl start reconciler
    """
    from reconciler.evidence.key_change import Reason
    from reconciler.ledger import key_changes

    home = home_of(config)
    site = site_of(home, key_file)
    with held(home):
        changed = key_changes.finish(site)
        if changed is None:
            check_sealed(home)
            at, clock = _time(home, site)
            kind = protection(protect, site.place)
            why = Reason(reason or "scheduled")
            changed = key_changes.rotate(site, kind, why, at=at, clock=clock)
    _show(changed, site, fleet, as_json)


@click.command(epilog=EXIT_CODES)
@config_option
@key_option
@protect_option
@reason_option
@click.option(
    "--request",
    type=file_type,
    help="Where to write what must be authorized. Default: key-replacement.json.",
)
@click.option(
    "--authorization", type=file_type, help="What the recovery person signed; ends the replacement."
)
@fleet_option
@json_option
def replace(
    config: Path | None,
    key_file: Path | None,
    protect: str,
    reason: str | None,
    request: Path | None,
    authorization: Path | None,
    fleet: Path | None,
    as_json: bool,
) -> None:
    """Give this appliance a new key when the old one is gone with its hardware.

    Restore the ledger from its remote first. Then, in three steps: this command makes the new key
    and writes a request; a person whose line in the evidence signers names the namespace
    reconciler-key-recovery signs it (keys authorize); this command, with --authorization, appends
    the change, signed by the new key. The old key is retired for good.

    \b
    Example:
      reconciler keys replace --config FILE --request request.json
      reconciler keys authorize request.json --key ~/.ssh/recovery          (the other person)
      reconciler keys replace --config FILE --authorization request.json.sig
    """
    from reconciler.evidence.key_change import Reason
    from reconciler.ledger import key_changes

    home = home_of(config)
    site = site_of(home, key_file)
    with held(home):
        changed = key_changes.finish(site)
        if changed is None and authorization is None:
            announcement = key_changes.request(site, protection(protect, site.place))
            _ask(announcement, request or Path("key-replacement.json"), as_json)
            return
        if changed is None and authorization is not None:
            at, clock = _time(home, site)
            armor = _armor(authorization)
            why = Reason(reason or "hardware")
            changed = key_changes.replace(site, armor, why, at=at, clock=clock)
    if changed is not None:
        _show(changed, site, fleet, as_json)


def _time(home: "Home", site: "Site") -> tuple["datetime", "Clock"]:
    """When the entry is recorded, under the same rules about the clock as a run."""
    from reconciler.engine.appliance import linux_target
    from reconciler.engine.clock import SystemClock
    from reconciler.engine.facts import gather, refuse_jump
    from reconciler.evidence.entry import stamp

    head, clock = site.head(site.allowed()), SystemClock()
    target = linux_target("/", _nothing_known)
    facts = gather(clock, target, float(home.settings.probe_deadline_s))
    newest = head.tip.entry
    last: dict[str, object] = {
        "at": stamp(newest.read_at),
        "uptime_s": newest.clock.uptime_s,
        "boot_id": head.base.boot_id,
    }
    refuse_jump(facts, newest.time, last)
    at = clock.now()
    return at, facts.reading(at)


def _nothing_known(topic: str) -> "Answer":
    from reconciler.model.answer import Answer

    return Answer("unsupported", reason=f"{topic}: not asked for a change of keys")


def _ask(announcement: "Announcement", file: Path, as_json: bool) -> None:
    from reconciler.ledger.key_swap import rewrite

    rewrite(file, announcement.to_bytes())
    if as_json:
        emit({"request": str(file), **document_of(announcement)})
        return
    click.echo(words(announcement))
    click.echo(f"request  {file}\n")
    click.echo("Next: have a recovery person sign it, on their machine:")
    click.echo(f"  reconciler keys authorize {file.name} --key THEIR_KEY")
    click.echo(f"then: reconciler keys replace --config FILE --authorization {file}.sig")


def _armor(file: Path) -> str:
    """What ``keys authorize`` or ``ssh-keygen -Y sign`` wrote."""
    return read_given(file, 4096).decode("ascii", "replace").removesuffix("\n")


def _show(changed: "Changed", site: "Site", fleet: Path | None, as_json: bool) -> None:
    from reconciler.evidence import signer_lines, signers, sshsig

    line = signer_lines.appliance_line(site.principal, changed.new, changed.last + 1)
    commands = []
    if fleet is not None:

        def change(data: bytes, name: str) -> bytes:
            listed = {signer.public for signer in signers.parse(data, name).signers}
            if changed.old in listed:
                data = signer_lines.closed(data, name, changed.old, changed.last)
            return signer_lines.added(data, name, line)

        edit_fleet(fleet, change)
        branch = f"key-{site.principal.replace('/', '-')}-{changed.seq}"
        commands = git_commands(fleet, branch, f"Change the key of {site.principal}")
    document = {
        "action": changed.action.value,
        "principal": site.principal,
        "seq": changed.seq,
        "commit": changed.commit,
        "old": sshsig.fingerprint(changed.old),
        "new": sshsig.fingerprint(changed.new),
        "oldSignsUntil": changed.last,
        "line": signers.render(line),
        "file": FLEET_SIGNERS,
        "aside": str(changed.aside.path),
        "service": service_lines(site.place),
        "commands": commands,
    }
    if as_json:
        emit(document)
    else:
        _tell(document)


def _tell(document: dict[str, Any]) -> None:
    click.echo(f"entry {document['seq']}: {document['action']} on {document['principal']}")
    click.echo(f"old key  {document['old']}  signs until entry {document['oldSignsUntil']}")
    click.echo(f"new key  {document['new']}  signs from the next one on")
    for line in document["service"]:
        click.echo(line)
    click.echo(f"\nIn {FLEET_SIGNERS} of the fleet repository, end the old key's line with")
    click.echo(f"ledger:…-{document['oldSignsUntil']}, and add:\n\n  {document['line']}")
    for command in document["commands"]:
        click.echo(f"  {command}")
    click.echo(f"\nThe old key is at {document['aside']}*; remove it once the entry is pushed.")
