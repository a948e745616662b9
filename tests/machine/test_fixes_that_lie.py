"""Fixes that lie and fixes that break something, on a real machine.

Each runbook here is signed and approved by the fleet's own engineer: what keeps a bad one from
doing harm is the second look and the way back.
"""

from tests.support.clinic import Clinic, with_steps
from tests.support.drifts import DRIFTS, begin, shell
from tests.support.guest import Guest

PORTAL = "units-running[portal]"
SSHD_FILE = "/etc/ssh/sshd_config.d/00-reconciler.conf"


def facts(guest: Guest, path: str) -> str:
    """Content, mode and owner of a file, as one line of text."""
    return shell(guest, f"stat -c '%a %u %g' {path}; sha256sum < {path}")


class TestLies:
    def test_fix_that_changes_nothing_is_not_healed_and_cools_down(self, clinic: Clinic) -> None:
        clinic.edit_runbook(
            "RB-SERVICE-001",
            with_steps(
                "steps:\n"
                "  - id: pretend\n"
                "    use: wait.until\n"
                '    with: {unit: "{unit}", states: [inactive]}\n'
            ),
        )
        begin(DRIFTS["service-stopped"], clinic.guest)

        run = clinic.run_once()

        outcome = run.outcome("RB-SERVICE-001")
        assert outcome["result"] == "rolled_back"
        assert outcome["reason"] == f"not healed: {PORTAL} is fail"
        assert run.after(PORTAL)["observed"]["active_state"] == "inactive"
        assert run.code == 1
        (evidence,) = clinic.entries("outcome")
        # The step itself said that all went well.
        assert [r["ok"] for r in evidence["steps"][0]["results"]] == [True]
        assert (evidence["result"], evidence["after"]) == ("rolled_back", {PORTAL: "fail"})

        second = clinic.run_once()
        assert second.planned() == ["RB-SERVICE-001"]
        assert second.results() == []
        waits = second.turned_away("RB-SERVICE-001")
        assert (waits["result"], waits["guard"]) == ("deferred", "cooldown")
        assert 500 < waits["retry_after_s"] <= 600
        clinic.verify()

    def test_fix_that_leaves_out_what_matters_is_not_healed(self, clinic: Clinic) -> None:
        """Every step is carried out, the server answers, and root can still log in."""
        clinic.edit_runbook(
            "RB-SSH-001",
            lambda text: text.replace("PermitRootLogin no", "#").replace(
                "settle_s: 15", "settle_s: 0"
            ),
        )
        begin(DRIFTS["ssh-root"], clinic.guest)
        before = shell(clinic.guest, "ls /etc/ssh/sshd_config.d")

        run = clinic.run_once()

        assert run.outcome("RB-SSH-001")["result"] == "rolled_back"
        assert run.outcome("RB-SSH-001")["rollback"] == "verified"
        assert run.after("ssh-root-login")["observed"]["permitrootlogin"] == "yes"
        assert shell(clinic.guest, "ls /etc/ssh/sshd_config.d") == before
        assert clinic.guest.ssh("id", "-un") == "clinicadmin\n"


class TestDamage:
    def test_fix_that_moves_the_ssh_server_away_is_taken_back(self, clinic: Clinic) -> None:
        clinic.guest.write(SSHD_FILE, "# An earlier version\nMaxSessions 7\n", mode=0o640)
        clinic.guest.run("chown", "0:4", SSHD_FILE)
        before = facts(clinic.guest, SSHD_FILE)
        clinic.edit_runbook(
            "RB-SSH-001",
            lambda text: text.replace("PermitRootLogin no", "Port 2222").replace(
                'with: {port: "{port}"}', 'with: {port: "{port}", timeout_s: 2}'
            ),
        )
        begin(DRIFTS["ssh-root"], clinic.guest)

        run = clinic.run_once()

        outcome = run.outcome("RB-SSH-001")
        assert (outcome["result"], outcome["rollback"]) == ("rolled_back", "verified")
        # A server that is slow to read its settings still answers; then the second look says it.
        assert outcome["reason"].startswith(
            ("step still-answers was not carried out", "not healed: ssh-root-login")
        )
        assert facts(clinic.guest, SSHD_FILE) == before
        assert clinic.guest.ssh("id", "-un") == "clinicadmin\n"
        assert shell(clinic.guest, "ss -Htln 'sport = 2222'") == ""
        (evidence,) = clinic.entries("outcome")
        assert evidence["rollback"] == "verified"
        assert [s["id"] for s in evidence["undone"]][-1] == "read-old-settings-last"
        assert all(r["ok"] for s in evidence["undone"] for r in s["results"])
        clinic.verify()

    def test_settings_that_the_ssh_server_refuses_never_reach_it(self, clinic: Clinic) -> None:
        clinic.edit_runbook(
            "RB-SSH-001", lambda text: text.replace("PermitRootLogin no", "Ciphers no-such-cipher")
        )
        begin(DRIFTS["ssh-root"], clinic.guest)
        pid = shell(clinic.guest, "systemctl show --property=MainPID ssh")

        run = clinic.run_once()

        outcome = run.outcome("RB-SSH-001")
        assert (outcome["result"], outcome["rollback"]) == ("rolled_back", "verified")
        assert "step test-settings was not carried out" in outcome["reason"]
        assert clinic.guest.run("test", "-e", SSHD_FILE, check=False).returncode == 1
        clinic.guest.run("sshd", "-t")
        assert shell(clinic.guest, "systemctl show --property=MainPID ssh") == pid

    def test_rule_set_that_does_not_load_is_taken_back(self, clinic: Clinic) -> None:
        file = "/etc/nftables.conf"
        before = facts(clinic.guest, file)
        clinic.edit_runbook(
            "RB-FW-001",
            lambda text: text.replace(
                'use: firewall.ensure\n    with: {open_ports: "{open_ports}"}',
                'use: file.ensure\n    with: {path: /etc/nftables.conf, content: "table inet {"}',
            ),
        )
        begin(DRIFTS["firewall-opened"], clinic.guest)
        loaded = shell(clinic.guest, "nft list ruleset")

        run = clinic.run_once()

        outcome = run.outcome("RB-FW-001")
        assert (outcome["result"], outcome["rollback"]) == ("rolled_back", "verified")
        assert "step test-rules was not carried out: nft" in outcome["reason"]
        assert facts(clinic.guest, file) == before
        assert shell(clinic.guest, "nft list ruleset") == loaded
        assert clinic.guest.ssh("id", "-un") == "clinicadmin\n"

    def test_rule_set_that_is_in_force_and_wrong_is_replaced_by_the_old_one(
        self, clinic: Clinic
    ) -> None:
        """It loads, it even refuses by default, but it opens more than is declared."""
        wrong = (
            "flush ruleset\\ntable inet filter {\\n chain input {\\n"
            "  type filter hook input priority 0; policy drop;\\n  tcp dport { 22, 3389 } accept\\n"
            " }\\n}\\n"
        )
        clinic.edit_runbook(
            "RB-FW-001",
            lambda text: text.replace(
                'use: firewall.ensure\n    with: {open_ports: "{open_ports}"}',
                f'use: file.ensure\n    with: {{path: /etc/nftables.conf, content: "{wrong}"}}',
            ).replace("settle_s: 10", "settle_s: 0"),
        )
        begin(DRIFTS["firewall-opened"], clinic.guest)
        loaded = shell(clinic.guest, "nft --stateless list ruleset")

        run = clinic.run_once()

        outcome = run.outcome("RB-FW-001")
        assert (outcome["result"], outcome["rollback"]) == ("rolled_back", "verified")
        assert outcome["reason"] == "not healed: firewall is fail"
        assert shell(clinic.guest, "nft --stateless list ruleset") == loaded
        assert clinic.guest.ssh("id", "-un") == "clinicadmin\n"
