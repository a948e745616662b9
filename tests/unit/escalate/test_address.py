"""Tickets go over TLS, to addresses without secrets, and not to where a cloud keeps credentials."""

import pytest

from reconciler.errors import InputError
from reconciler.escalate.address import vet
from reconciler.escalate.message import Arrived, Lost, result_from_json, result_to_json


@pytest.mark.parametrize(
    "url",
    ["https://desk.example/hook", "https://10.0.0.7:8443", "http://127.0.0.1:9", "http://[::1]/x"],
)
def test_what_may_be_asked(url: str) -> None:
    assert vet(f"{url}/") == url


@pytest.mark.parametrize(
    "url",
    [
        "http://desk.example/hook",
        "http://localhost/hook",
        "https://user:pass@desk.example/",
        "https://user@desk.example/",
        "https://desk.example/?token=1",
        "https://desk.example/?",
        "https://desk.example/#a",
        "https:///hook",
        "https://169.254.169.254/latest",
        "https://[fe80::1]/",
        "https://224.0.0.1/",
        "https://0.0.0.0/",
        "https://desk.example:99999/",
        "https://[::1/",
        "ftp://desk.example/",
        "file:///etc/passwd",
        "",
    ],
)
def test_what_may_not_be_asked_and_its_secret_is_not_said(url: str) -> None:
    with pytest.raises(InputError) as refused:
        vet(url)

    assert "pass" not in refused.value.message
    assert "token" not in refused.value.message


def test_a_result_survives_its_way_and_nonsense_is_a_broken_channel() -> None:
    for result in (Arrived(), Arrived(7), Lost("refused")):
        assert result_from_json(result_to_json(result)) == result
    for nonsense in ({}, {"code": "fine"}, {"reference": "7"}, {"reference": True}):
        assert result_from_json(nonsense) == Lost("broken")
