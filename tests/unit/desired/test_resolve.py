import hashlib

import pytest

from reconciler.desired.fleet import read_fleet
from reconciler.desired.problem import FleetInvalid
from reconciler.desired.resolve import resolve
from reconciler.errors import InputError
from tests.support.policy import CHECKS, approved, base_files

COMMIT, TREE = "c" * 40, "7" * 40
HOST = "hosts/clinic/desk.yaml"
RUNBOOK = "runbooks/RB-UNIT-001.yaml"


def resolved(files, client="clinic", host="desk"):
    return resolve(read_fleet(files), client, host, commit=COMMIT, tree=TREE, checks=CHECKS)


def changed(path, old, new):
    files = base_files()
    assert old.encode() in files[path]
    return {**files, path: files[path].replace(old.encode(), new.encode())}


def test_one_host_s_state_is_complete():
    state = resolved(base_files())
    assert (state.commit, state.tree, state.target) == (COMMIT, TREE, "clinic/desk")
    assert len(state.rules) == 4
    assert set(state.controls) == {"law:1(a)(1)", "law:1(a)(2)(i)", "law:1(a)(2)(iii)", "law:1(d)"}
    assert [exception.id for exception in state.exceptions] == ["long-idle"]
    assert state.kill_switches == {}


def test_a_runbook_is_pinned_to_its_content():
    files = base_files()
    pinned = resolved(files).runbooks["RB-UNIT-001"]
    assert pinned.digest == hashlib.sha256(files[RUNBOOK]).hexdigest()
    assert pinned.approved


def test_a_runbook_that_changed_since_its_approval_is_not_approved():
    pinned = resolved(changed(RUNBOOK, "title: Restart a unit", "title: Restart it"))
    assert not pinned.runbooks["RB-UNIT-001"].approved


def test_without_an_allow_list_nothing_is_approved():
    files = base_files()
    del files["runbooks/approved.yaml"]
    assert not resolved(files).runbooks["RB-UNIT-001"].approved


def test_the_digest_can_be_computed_with_sha256sum():
    files = base_files()
    lines = "".join(
        f"{hashlib.sha256(data).hexdigest()}  {path}\n" for path, data in sorted(files.items())
    )
    assert resolved(files).digest == hashlib.sha256(lines.encode()).hexdigest()


@pytest.mark.parametrize("path", sorted(base_files()))
def test_every_file_that_takes_part_counts_in_the_digest(path):
    files = base_files()
    touched = {**files, path: files[path] + b"# touched\n"}
    assert resolved(touched).digest != resolved(files).digest


def test_files_that_take_no_part_do_not_count():
    files = base_files()
    other = {
        **files,
        "hosts/clinic/other.yaml": files[HOST].replace(b"id: desk", b"id: other"),
        "policies/rules/spare.yaml": files["policies/rules/idle.yaml"].replace(
            b"id: idle", b"id: spare"
        ),
        "policies/README.md": b"notes",
    }
    assert resolved(other).digest == resolved(files).digest


def test_exceptions_of_other_hosts_and_clients_are_left_out():
    assert (
        resolved(
            changed("policies/exceptions/clinic/long-idle.yaml", "[desk]", "[other]")
        ).exceptions
        == ()
    )


def test_engaged_kill_switches_are_told_by_scope():
    files = changed(HOST, "declares:", "kill_switch: {engaged: false, reason: Over.}\ndeclares:")
    files["policies/kill-switch.yaml"] = b"engaged: true\nreason: Stop everything.\n"
    assert set(resolved(files).kill_switches) == {"fleet"}


def test_controls_are_those_of_the_client_s_frameworks():
    files = base_files()
    law = files["policies/frameworks/law.yaml"]
    files["policies/frameworks/other.yaml"] = law.replace(b"id: law", b"id: other")
    assert not [name for name in resolved(files).controls if name.startswith("other:")]


def test_a_fleet_with_a_broken_file_is_refused_whoever_it_belongs_to():
    with pytest.raises(FleetInvalid, match="holds a tab"):
        resolved({**base_files(), "hosts/elsewhere/client.yaml": b"\t"})


def test_a_rule_that_cannot_be_bound_refuses_the_host():
    with pytest.raises(FleetInvalid, match="does not match"):
        resolved(changed(HOST, "nginx.service", "nginx.socket"))


@pytest.mark.parametrize(
    ("client", "host", "hint"),
    [
        ("clinik", "desk", "Did you mean clinic?"),
        ("clinic", "disk", "Did you mean clinic/desk?"),
        ("clinic", "client", None),
        ("clinic", "../clinic/desk", None),
    ],
)
def test_there_is_no_fallback_to_another_host(client, host, hint):
    with pytest.raises(InputError, match="there is no") as caught:
        resolved(base_files(), client, host)
    assert hint is None or caught.value.hint == hint


@pytest.mark.parametrize(
    ("path", "old", "new", "message"),
    [
        (HOST, "policies: [core]", "policies: [cores]", "there is no baseline cores"),
        ("hosts/clinic/client.yaml", "tier: basic", "tier: basics", "there is no tier basics"),
        ("hosts/clinic/client.yaml", "[law]", "[laws]", "there is no framework laws"),
        ("policies/baselines/core.yaml", "[root-login,", "[root-logins,", "there is no rule"),
    ],
)
def test_what_is_named_and_not_there_is_refused_even_unchecked(path, old, new, message):
    with pytest.raises(InputError, match=message):
        resolved(changed(path, old, new))


def test_a_host_without_rules_is_refused():
    files = changed("policies/baselines/core.yaml", "[root-login, idle, unit-runs]", "[unit-runs]")
    files[HOST] = files[HOST].split(b"  units:")[0]
    with pytest.raises(InputError, match="has no rules"):
        resolved(approved(files))
