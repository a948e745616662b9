import pytest

from reconciler.advise.endpoint import Endpoint, check_url
from reconciler.errors import InputError


def endpoint(**changes: object) -> Endpoint:
    fields = {"kind": "compatible", "base_url": "https://llm.example/v1", "model": "m"}
    return Endpoint(**(fields | changes))  # type: ignore[arg-type]


def test_the_key_is_never_shown() -> None:
    one = endpoint(key="sk-geheim")
    assert "sk-geheim" not in f"{one!r}{one}{one.name}"


def test_a_name_tells_endpoints_apart() -> None:
    names = {endpoint().name, endpoint(kind="openai").name, endpoint(deployment="d").name}
    assert len(names) == 3


@pytest.mark.parametrize(
    ("prices", "tokens", "cost"),
    [
        ((150_000, 600_000), (400, 20), 72),
        ((150_000, 600_000), (1, 0), 1),
        ((0, 0), (400, 20), 0),
        ((150_000, 600_000), None, None),
        ((None, 600_000), (400, 20), None),
    ],
)
def test_a_cost_is_rounded_up_or_unknown(
    prices: tuple[int | None, int], tokens: tuple[int, int] | None, cost: int | None
) -> None:
    one = endpoint(prompt_price=prices[0], completion_price=prices[1])
    assert one.cost_microusd(tokens) == cost


@pytest.mark.parametrize(
    "url", ["https://llm.example/v1", "http://127.0.0.1:8080/v1", "http://[::1]:1/v1"]
)
def test_addresses_that_may_be_asked(url: str) -> None:
    assert check_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://llm.example/v1",
        "http://127.0.0.1.example/v1",
        "https://user:secret@llm.example",
        "https://llm.example/v1?key=secret",
        "https://llm.example/v1#x",
        "https://",
        "ftp://llm.example",
        "llm.example",
        "https://[::1",
        "https://llm.example:x/",
        "file:///etc/passwd",
    ],
)
def test_addresses_that_may_not(url: str) -> None:
    with pytest.raises(InputError) as refused:
        check_url(url)
    assert "secret" not in str(refused.value)
