import json

from benchmarks.host_tick import answers


def test_ours_counts_fail_and_not_unknown_and_names_the_rule_of_an_item() -> None:
    findings = [
        {"rule": "units-running[ssh]", "status": "fail"},
        {"rule": "firewall", "status": "pass"},
        {"rule": "storage-encrypted", "status": "unknown"},
    ]
    assert answers.ours(json.dumps({"findings": findings})) == {"units-running"}


def test_goss_names_the_rule_of_each_missing_line_of_sshd() -> None:
    missing = {"missing-elements": ["/^loglevel VERBOSE$/", "/^macs (a|b)$/"]}
    none = {"missing-elements": None}
    results = [
        {"successful": False, "meta": {"rule": "ssh"}, "matcher-result": missing},
        {"successful": False, "meta": {"rule": "firewall"}, "matcher-result": none},
        {"successful": True, "meta": {"rule": "disk-space"}, "matcher-result": none},
    ]
    said = json.dumps({"results": results})
    assert answers.goss(said) == {"ssh-log-level", "ssh-algorithms", "firewall"}


def test_reports_of_shell_and_cfengine() -> None:
    assert answers.fail_lines("FAIL anti-malware\nR: FAIL no_core_dumps\nR: all well\n") == {
        "anti-malware",
        "no-core-dumps",
    }


def test_pytest_names_a_test_whatever_its_parameters() -> None:
    said = "FAILED test_baseline.py::test_units_running[local-ssh] - AssertionError\n1 failed\n"
    assert answers.pytest(said) == {"units-running"}


def test_puppet_counts_resources_and_not_the_classes_that_sum_them_up() -> None:
    said = (
        "\x1b[mNotice: /Stage[main]/Anti_malware/Service[clamav-daemon]/ensure: current_value "
        "'stopped', should be 'running' (noop)\x1b[0m\n"
        "Notice: Class[Firewall]: Would have triggered 'refresh' from 1 event\n"
    )
    assert answers.puppet(said) == {"anti-malware"}


def test_ansible_counts_what_changed_or_failed() -> None:
    said = (
        "TASK [anti-malware] ****\nfatal: [localhost]: FAILED! => {}\n...ignoring\n\n"
        "TASK [kernel-hardening] ****\nchanged: [localhost]\n\n"
        "TASK [firewall] ****\nok: [localhost]\n"
    )
    assert answers.ansible(said) == {"anti-malware", "kernel-hardening"}
