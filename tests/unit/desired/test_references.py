import pytest

from reconciler.desired.references import ITEMS, Typed, items, label, references, values
from reconciler.model.host import Backup, Certificate, Declares, Host

CERTIFICATE = Certificate(name="portal", path="/c", key="/k", renew_unit="renew.service")
BACKUP = Backup(job="nightly", repository="/r", password_file="/p", unit="b.service")
HOST = Host(
    id="desk",
    kind="linux",
    mode="observe",
    policies=("core",),
    declares=Declares(accounts=("a",), certificates=(CERTIFICATE,), backups=(BACKUP,)),
)


def test_lists_of_names_can_be_referred_to_and_lists_of_items_cannot():
    known = references(None)
    assert known["host.accounts"] == Typed("list[str]")
    assert known["host.id"] == Typed("str")
    assert "host.certificates" not in known
    assert not [ref for ref in known if ref.startswith("item.")]


@pytest.mark.parametrize(
    ("for_each", "ref", "typed"),
    [
        ("certificates", "item.path", Typed("str")),
        ("certificates", "item.reload_unit", Typed("str", optional=True)),
        ("secret_files", "item.uid", Typed("int")),
        ("mounts", "item.free_percent", Typed("int")),
        ("backups", "item.job", Typed("str")),
    ],
)
def test_an_item_s_fields_have_their_types(for_each, ref, typed):
    assert references(for_each)[ref] == typed


@pytest.mark.parametrize("for_each", ITEMS)
def test_every_list_of_items_is_one_that_hosts_declare(for_each):
    assert for_each in Declares.model_fields


def test_values_are_what_the_host_declares():
    known = values(HOST, CERTIFICATE)
    assert known["host.id"] == "desk"
    assert known["host.accounts"] == ("a",)
    assert known["item.renew_unit"] == "renew.service"
    assert known["item.reload_unit"] is None


def test_every_reference_has_a_value():
    for for_each, item in (("certificates", CERTIFICATE), ("backups", BACKUP)):
        assert values(HOST, item).keys() == references(for_each).keys()


def test_items_are_named_in_findings():
    assert [label(item) for item in items(HOST, "certificates")] == ["portal"]
    assert [label(item) for item in items(HOST, "backups")] == ["nightly"]
