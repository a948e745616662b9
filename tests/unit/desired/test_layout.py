import pytest

from reconciler.desired.layout import MODELS, Slot, file_of, is_policy, slot


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("hosts/clinic/client.yaml", Slot("client", "clinic", "clinic")),
        ("hosts/clinic/desk.yaml", Slot("host", "clinic/desk", "desk")),
        ("policies/rules/a.yaml", Slot("rule", "a", "a")),
        ("policies/baselines/a.yaml", Slot("baseline", "a", "a")),
        ("policies/frameworks/a.yaml", Slot("framework", "a", "a")),
        ("policies/tiers/a.yaml", Slot("tier", "a", "a")),
        ("policies/vulnerabilities/clinic/a.yaml", Slot("vulnerabilities", "clinic/a", None)),
        ("policies/exceptions/clinic/a.yaml", Slot("exception", "clinic/a", "a")),
        ("approvals/clinic/a.yaml", Slot("approval", "clinic/a", "a")),
        ("acknowledgements/clinic/a.yaml", Slot("acknowledgement", "clinic/a", "a")),
        ("policies/healing/a.yaml", Slot("healing", "a", "a")),
        ("policies/guards.yaml", Slot("guards", "guards", None)),
        ("policies/breakers.yaml", Slot("breakers", "breakers", None)),
        ("policies/promotions.yaml", Slot("promotions", "promotions", None)),
        ("policies/rings.yaml", Slot("rings", "rings", None)),
        ("policies/rollout.yaml", Slot("rollout", "rollout", None)),
        ("policies/kill-switch.yaml", Slot("kill switch", "kill-switch", None)),
        ("runbooks/RB-A-001.yaml", Slot("runbook", "RB-A-001", "RB-A-001")),
        ("runbooks/approved.yaml", Slot("approved", "approved", None)),
    ],
)
def test_a_path_says_what_is_in_it_and_back(path, expected):
    assert slot(path) == expected
    assert file_of(expected.kind, expected.key) == path
    assert is_policy(path)


def test_every_kind_of_document_has_a_place():
    of_a_client = {"host", "exception", "approval", "acknowledgement", "vulnerabilities"}
    places = {file_of(kind, "a/b" if kind in of_a_client else kind) for kind in MODELS}
    assert len(places) == len(MODELS)
    assert {slot(place).kind for place in places} == set(MODELS)


@pytest.mark.parametrize(
    "path",
    [
        "policies/rule/a.yaml",
        "policies/rules/deep/a.yaml",
        "policies/rules/a.yml",
        "policies/rules/A.YAML",
        "policies/a.yaml",
        "hosts/a.yaml",
        "hosts/clinic/deep/a.yaml",
        "policies/exceptions/a.yaml",
        "policies/vulnerabilities/a.yaml",
        "approvals/a.yaml",
        "approvals/clinic/deep/a.yaml",
        "runbooks/deep/RB-A-001.yaml",
    ],
)
def test_yaml_in_another_place_is_policy_without_a_slot(path):
    assert is_policy(path)
    assert slot(path) is None


@pytest.mark.parametrize(
    "path",
    [
        "flake.nix",
        "README.md",
        "docs/example.yaml",
        "hosts/clinic/desk.nix",
        "policies/README.md",
        "policies/trust/allowed_signers",
        "policies/trust/roles.yaml",
        ".github/workflows/ci.yaml",
    ],
)
def test_what_is_not_policy_is_passed_over(path):
    assert not is_policy(path)
