"""The journal of a real systemd: what it says is found, what somebody else says is not."""

import pytest

from tests.machine.test_daemon import BRIDGE, PORTAL, SERVICE, install, shown, until
from tests.support.clinic import Clinic

pytestmark = pytest.mark.machine

EVENTS = "service-failures[portal]"


def test_a_failed_unit_wakes_the_daemon_and_a_forged_line_does_not(clinic: Clinic) -> None:
    clinic.edit_host(lambda text: text.replace("-hipaa-v1", "-hipaa-v1, linux-events-v1", 1))
    install(clinic)
    settings = clinic.site.made.settings
    settings.write_text(settings.read_text().replace("interval_s: 5", "interval_s: 3600"))
    clinic.guest.run("systemctl", "start", SERVICE)
    until(lambda: len(clinic.entries("run")) == 1, "a first run")
    assert status(clinic, EVENTS) == "pass"

    forged = (
        "MESSAGE_ID=d9b373ed55a64feb8242e02dbe79a49c\\n_PID=1\\n"
        f"UNIT={BRIDGE}\\nPRIORITY=4\\nMESSAGE=Failed\\n"
    )
    clinic.guest.run("sh", "-c", f"printf '{forged}' | logger --journald")
    seen = clinic.guest.run(
        "journalctl", "--no-pager", "-o", "cat", "MESSAGE_ID=d9b373ed55a64feb8242e02dbe79a49c"
    )
    assert "Failed" in seen.stdout, "the journal took the forged line in"

    clinic.guest.run("systemctl", "kill", "--signal=SEGV", BRIDGE)
    clinic.guest.until("systemctl", "is-failed", BRIDGE)

    until(lambda: len(clinic.entries("run")) == 2, "woken, and healed", timeout_s=80)
    (run,) = clinic.entries("run")[1:]
    found = {finding["rule"]: finding for finding in clinic.entries("intent")[0]["found"]}
    assert set(found) == {PORTAL, EVENTS}
    assert found[EVENTS]["observed"] == {"since_start": 1}, "the forged line does not count"
    assert {f["rule"]: f["status"] for f in run["findings"]}[EVENTS] == "pass"
    clinic.guest.run("systemctl", "stop", SERVICE, timeout=120)
    assert shown(clinic, "ExecMainStatus") == "0"


def status(clinic: Clinic, rule: str) -> str:
    newest = clinic.entries("run")[-1]
    return {f["rule"]: f["status"] for f in newest["findings"]}[rule]
