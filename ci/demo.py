#!/usr/bin/env python3
"""Boot a clinic's machine, break it in front of you, heal it, show the evidence: ``make demo``.

Needs root and the Debian packages of ``ci/packages.txt``. The machine is a systemd guest of its
own; nothing of this computer is changed, and nothing is left of the guest. The first time, a
Debian root is built (one to two minutes); then the show takes less than a minute.
"""

import re
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from reconciler.errors import ExitCode  # noqa: E402
from tests.support.clinic import TARGET, Clinic  # noqa: E402
from tests.support.clinic_fleet import CLIENT, HOME, HOST  # noqa: E402
from tests.support.commands import CommandFailed  # noqa: E402
from tests.support.drifts import DRIFTS, Drift, begin, gone  # noqa: E402
from tests.support.guest import Guest, require_guest  # noqa: E402
from tests.support.image import Image, build_image  # noqa: E402

SHOWN = (
    "firewall-flushed",
    "ssh-root",
    "secret-readable",
    "time-daemon-masked",
    "service-crashed",
)
CONFIG = ("--config", f"{HOME}/reconciler.yaml")
EVIDENCE = f"{HOME}/evidence/{CLIENT}.git"
SIGNERS = f"{HOME}/trust/evidence_signers"
COLOURS = {"fail": 31, "pass": 32, "healed": 32, "unknown": 33, "excepted": 36}

TERMINAL = sys.stdout.isatty()
WIDTH = shutil.get_terminal_size((160, 40)).columns


def main() -> int:
    """Run the show.

    Returns:
        0; 1 when something was not healed; 7 when this machine cannot boot a guest.
    """
    missing = require_guest()
    if missing is not None:
        print(f"make demo cannot boot a guest here: {missing}.", file=sys.stderr)
        print("It needs root and the Debian packages of ci/packages.txt:", file=sys.stderr)
        print("  apt-get install $(grep -v '^#' ci/packages.txt)", file=sys.stderr)
        return int(ExitCode.MACHINE)
    try:
        return 0 if show(prepared()) else int(ExitCode.DRIFT)
    except CommandFailed as failure:
        print(f"\nThe demo stopped: {failure}", file=sys.stderr)
        print("The packages of ci/packages.txt must be installed.", file=sys.stderr)
        return int(ExitCode.MACHINE)
    except KeyboardInterrupt:
        print("\nStopped; the guest is gone.", file=sys.stderr)
        return 130


def prepared() -> Image:
    """The guest's image, built the first time."""
    say("A Debian root for the guest: from the cache, or built now (one to two minutes).")
    return build_image()


def show(image: Image) -> bool:
    """The whole show, on a guest that is gone afterwards; whether everything was healed."""
    started = time.monotonic()
    heading("A clinic's front desk computer boots: systemd, ssh, firewall, chrony, nightly backup")
    with Guest.boot(image, "demo") as guest:
        guest.wait_for_clock()
        clinic = enrolled(guest)
        healthy(clinic)
        drifts = [DRIFTS[name] for name in SHOWN]
        broken(clinic, drifts)
        well = healed(clinic, drifts)
        proven(clinic)
    heading("The guest is gone, and this computer is as it was")
    say(f"{time.monotonic() - started:.0f} seconds. Where to look next: README.md, then")
    say("reconciler/engine/run.py, which reads as what you have just seen.")
    return well


def enrolled(guest: Guest) -> Clinic:
    """The appliance with its keys, its signed fleet repository and its empty ledger."""
    clinic = Clinic(guest)
    # Six fixes within a minute are more than a host may have without a person's yes.
    clinic.site.edit("policies/guards.yaml", lambda _none: "tokens: {host: 10}\n")
    say("It is enrolled: a key of its own, an evidence repository with a first signed entry, and")
    say("a fleet repository, signed by an engineer, that declares what this machine must be:")
    excerpt = clinic.site.made.fleet / f"hosts/{CLIENT}/{HOST}.yaml"
    quote(excerpt.read_text().split("declares:")[1].splitlines()[1:8])
    return clinic


def healthy(clinic: Clinic) -> None:
    """The first run: everything that can pass passes."""
    heading("First run: every rule of the HIPAA baseline, looked at on the live machine")
    reconcile(clinic)
    say("The one thing with a remedy, a restore that nobody had ever tested, was done and proven.")
    say("What fails still is for people (a second factor, a second place for the backup), or is a")
    say("setting of the kernel, which a container has from its host and may not change.")


def broken(clinic: Clinic, drifts: Sequence[Drift]) -> None:
    """Break it, with the commands that people have."""
    heading("Now it is broken five times, as people and installers do it")
    for drift in drifts:
        begin(drift, clinic.guest)
        print(f"  {paint('fail', '✗')} {drift.title}")
        quote(drift.inject.splitlines())
    heading("A dry run: found, with what was seen and what was expected; nothing is done")
    reconcile(clinic, "--dry-run", only=not_passing)


def healed(clinic: Clinic, drifts: Sequence[Drift]) -> bool:
    """Heal it, and ask other tools whether that is true."""
    heading("The run: a signed intent before each fix, the same check again after it")
    reconcile(clinic, only=not_passing)
    heading("Do not take its word: other tools look")
    all_well = [gone(drift, clinic.guest) for drift in drifts]
    for drift, well in zip(drifts, all_well, strict=True):
        mark = paint("pass", "✓") if well else paint("fail", "✗ still there:")
        print(f"  {mark} {drift.title}")
        quote(["; ".join(drift.proof.replace("\\\n", "").strip().splitlines())])
    heading("The next run has nothing to do")
    reconcile(clinic, only=summary)
    return all(all_well)


def proven(clinic: Clinic) -> None:
    """The evidence: with our verifier, with stock git, and with one byte changed."""
    heading("The evidence, verified offline with our verifier")
    tell(clinic, "reconciler", "verify", EVIDENCE, "--signers", SIGNERS)
    heading("The same evidence, verified with stock git alone")
    signers = ("-c", f"gpg.ssh.allowedSignersFile={SIGNERS}", "-c", "color.ui=never")
    log = ("log", "--show-signature", "--format=%h %cI %s", "-n", "4", TARGET)
    tell(clinic, "git", *signers, f"--git-dir={EVIDENCE}", *log)
    heading("And with one byte of a copy changed")
    copy = "/tmp/changed.git"
    spoil = (
        f"cp -a {EVIDENCE} {copy}; file=$(find {copy}/objects -type f | sort | head -n 1);"
        " chmod u+w $file; printf X | dd of=$file seek=20 bs=1 conv=notrunc status=none"
    )
    clinic.guest.run("sh", "-c", spoil)
    tell(clinic, "reconciler", "verify", copy, "--signers", SIGNERS)


def reconcile(
    clinic: Clinic, *flags: str, only: Callable[[str], bool] = lambda _line: True
) -> None:
    """Run the reconciler in the guest and print what it prints."""
    command = ("reconciler", "run", "--once", *flags, *CONFIG)
    done = clinic.guest.run(*command, check=False, timeout=300)
    command_line("reconciler", "run", "--once", *flags)
    for line in (done.stdout + done.stderr).splitlines():
        if only(line):
            print("  " + coloured(line[: WIDTH - 2]))


def not_passing(line: str) -> bool:
    """Leave out rows of the table that pass."""
    return re.search(r"^\S+ +(pass|excepted|not_applicable) ", line) is None and bool(line.strip())


def summary(line: str) -> bool:
    """Leave out the table."""
    return line.startswith((TARGET, "RB-", "evidence:"))


def tell(clinic: Clinic, *command: str) -> None:
    """Run a command in the guest and print what it prints."""
    command_line(*command)
    done = clinic.guest.run(*command, check=False)
    quote((done.stdout + done.stderr).splitlines())
    if done.returncode:
        quote([f"exit code {done.returncode}"])


def heading(text: str) -> None:
    """A part of the show begins."""
    print(f"\n{paint('heading', '== ' + text)}", flush=True)


def say(text: str) -> None:
    """One line of narration."""
    print(f"  {text}", flush=True)


def command_line(*words: str) -> None:
    """What was typed."""
    print(f"  # {' '.join(words)}", flush=True)


def quote(lines: Sequence[str]) -> None:
    """What a file or a program says, clipped to the terminal."""
    for line in lines:
        print(f"      {line[: WIDTH - 6]}", flush=True)


def coloured(line: str) -> str:
    """A line with the words that matter in colour."""
    word = re.compile(rf"(?<=\s)({'|'.join(COLOURS)})(?=[\s:])")
    return word.sub(lambda match: paint(match[1], match[1]), line, count=1)


def paint(kind: str, text: str) -> str:
    """Colour, only on a terminal."""
    return f"\x1b[{COLOURS.get(kind, 1)}m{text}\x1b[0m" if TERMINAL else text


if __name__ == "__main__":
    sys.exit(main())
