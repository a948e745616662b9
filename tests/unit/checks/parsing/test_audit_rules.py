import pytest

from reconciler.checks.parsing.audit_rules import normal

SAME = [
    # As written in a rule file, and as auditctl -l prints it once it is loaded.
    ("-w /etc/passwd -p wa -k identity", "-w /etc/passwd -p wa -k identity"),
    ("-w /etc/passwd -p aw -k identity", "-w /etc/passwd -p wa -k identity"),
    ("-w /etc/sudoers.d/ -p wa -k scope", "-w /etc/sudoers.d -p wa -k scope"),
    (
        "-a always,exit -F path=/etc/passwd -F perm=wa -F key=identity",
        "-w /etc/passwd -p wa -k identity",
    ),
    (
        "-a exit,always -S all -F dir=/etc/sudoers.d -F perm=wa -k scope",
        "-w /etc/sudoers.d -p wa -k scope",
    ),
    (
        "-a always,exit -F arch=b64 -S execve -C uid!=euid -F euid=0 -k execpriv",
        "-a always,exit -F arch=b64 -S execve -C uid!=euid -F euid=0 -F key=execpriv",
    ),
    (
        "-a always,exit -F arch=b64 -S openat,open -F exit=-EPERM -F auid>=1000"
        " -F auid!=unset -k access",
        "-a always,exit -F arch=b64 -S open,openat -F exit=-EPERM -F auid>=1000"
        " -F auid!=-1 -F key=access",
    ),
    (
        "-A always,exit -F arch=b64 -F auid!=4294967295 -S rename -S unlink -k delete",
        "-a always,exit -F arch=b64 -S unlink,rename -F auid!=-1 -F key=delete",
    ),
    ("-w /usr/bin/passwd", "-w /usr/bin/passwd -p rwxa"),
]


@pytest.mark.parametrize(("written", "printed"), SAME)
def test_two_spellings_of_one_rule_are_one(written: str, printed: str) -> None:
    assert normal(written) == normal(printed) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("-w /etc/passwd -p wa -k a", "-w /etc/passwd -p w -k a"),
        ("-w /etc/passwd -p wa -k a", "-w /etc/shadow -p wa -k a"),
        ("-w /etc/passwd -p wa -k a", "-w /etc/passwd -p wa -k b"),
        ("-a always,exit -S open -F arch=b64", "-a never,exit -S open -F arch=b64"),
        ("-a always,exit -S open -F arch=b64", "-a always,exit -S open -F arch=b32"),
        ("-a always,exit -S open -F auid!=-1", "-a always,exit -S open -F auid=-1"),
        (
            "-a always,exit -F path=/bin/su -F perm=x -F auid>=1000",
            "-a always,exit -F path=/bin/su -F perm=x",
        ),
    ],
)
def test_rules_that_record_different_things_stay_different(one: str, other: str) -> None:
    assert normal(one) != normal(other)


@pytest.mark.parametrize(
    "line",
    ["", "-D", "-b 8192", "-e 2", "No rules", "--loginuid-immutable", "-w", "-w /a -a always,exit"],
)
def test_a_line_that_is_no_rule_has_no_normal_form(line: str) -> None:
    assert normal(line) is None


@pytest.mark.parametrize("rule", [first for first, _ in SAME])
def test_the_normal_form_is_its_own_normal_form(rule: str) -> None:
    once = normal(rule)

    assert once is not None
    assert normal(once) == once
