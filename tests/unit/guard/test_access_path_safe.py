import pytest

from reconciler.guard.access_path_safe import judge, overlaps
from reconciler.model.verdict import Verdict
from tests.support.desired_states import make_action, make_desired, make_host, make_runbook, pin
from tests.support.guarding import make_context

ACCESS = ("unit:ssh.service", "port:tcp/22", "file:/etc/ssh")


def verdict(
    *steps: tuple[str, dict[str, object]], guarded: bool = False, **more: object
) -> Verdict:
    runbook = make_runbook(
        steps=[{"id": f"s{n}", "use": use, "with": given} for n, (use, given) in enumerate(steps)],
        parameters={
            "unit": {"type": "str", "doc": "x", "required": False},
            "ports": {"type": "list[str]", "doc": "x", "required": False, "default": []},
        },
        access_guarded=guarded,
    )
    host = make_host(access_path=more.pop("access", ACCESS))
    desired = make_desired(runbooks=[pin(runbook)], host=host)
    params = more.pop("params", {})
    return judge(make_action(params=params), make_context(desired=desired))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("use", "given"),
    [
        ("unit.stop", {"unit": "ssh.service"}),
        ("unit.mask", {"unit": "ssh.service"}),
        ("unit.stop", {"unit": "sshd.service"}),
        ("firewall.ensure", {"open_ports": ["tcp/443"]}),
        ("firewall.ensure", {"open_ports": ["udp/22"]}),
    ],
)
def test_cutting_the_access_path_is_denied_even_when_guarded(
    use: str, given: dict[str, object]
) -> None:
    said = verdict((use, given), guarded=True)
    assert said.ruling == "deny"
    assert "would cut the access path" in said.reason


@pytest.mark.parametrize(
    ("use", "given"),
    [
        ("unit.restart", {"unit": "ssh.service"}),
        ("unit.reload", {"unit": "ssh.service"}),
        ("file.ensure", {"path": "/etc/ssh/sshd_config.d/x.conf", "content": "x"}),
        ("file.access", {"path": "/etc/ssh", "mode": "0600", "uid": 0, "gid": 0}),
        ("firewall.ensure", {"open_ports": ["tcp/443", "tcp/22"]}),
        ("firewall.load", {}),
    ],
)
def test_changing_the_access_path_needs_a_guarded_runbook(
    use: str, given: dict[str, object]
) -> None:
    assert verdict((use, given)).ruling == "deny"
    assert verdict((use, given), guarded=True).ruling == "allow"


def test_what_is_beside_the_access_path_is_allowed() -> None:
    steps = [
        ("unit.stop", {"unit": "cups.service"}),
        ("unit.restart", {"unit": "chrony.service"}),
        ("file.ensure", {"path": "/etc/sshx", "content": "x"}),
    ]
    assert verdict(*steps).ruling == "allow"


def test_the_parameters_of_the_action_are_what_counts() -> None:
    step = ("unit.stop", {"unit": "{unit}"})
    assert verdict(step, params={"unit": "cups.service"}).ruling == "allow"
    assert verdict(step, params={"unit": "ssh.service"}).ruling == "deny"
    assert verdict(step, params={"unit": None}).ruling == "allow"


def test_closing_ports_of_a_host_that_declares_no_access_path_is_denied() -> None:
    said = verdict(("firewall.ensure", {"open_ports": ["tcp/22"]}), access=(), guarded=True)
    assert (said.ruling, said.reason) == (
        "deny",
        "closes ports, and the host declares no access_path",
    )
    assert verdict(("unit.restart", {"unit": "ssh.service"}), access=()).ruling == "allow"


@pytest.mark.parametrize(
    ("use", "given", "why"),
    [
        ("unit.explode", {}, "unknown kind unit.explode"),
        ("unit.stop", {"unit": "{nit}"}, "no parameter nit"),
        ("unit.stop", {"unit": "no suffix"}, "does not match"),
        ("unit.reload", {}, "must be a text"),
    ],
)
def test_a_step_that_cannot_be_rendered_is_denied(
    use: str, given: dict[str, object], why: str
) -> None:
    said = verdict((use, given), guarded=True)
    assert said.ruling == "deny"
    assert why in said.reason


@pytest.mark.parametrize(
    ("word", "way", "meets"),
    [
        ("port:*", "port:tcp/22", True),
        ("port:!", "port:tcp/22", True),
        ("port:!tcp/22", "port:tcp/22", False),
        ("port:!tcp/2,tcp/222", "port:tcp/22", True),
        ("port:tcp/22", "port:tcp/22", True),
        ("port:*", "unit:ssh.service", False),
        ("unit:sshd.service", "unit:ssh.service", True),
        ("unit:ssh.service", "unit:sshd.service", True),
        ("file:/etc/ssh/sshd_config", "file:/etc/ssh", True),
        ("file:/etc", "file:/etc/ssh/", True),
        ("file:/etc/ssh2", "file:/etc/ssh", False),
        ("file:/", "file:/etc/ssh", True),
    ],
)
def test_overlaps(word: str, way: str, meets: bool) -> None:
    assert overlaps(word, way) is meets
