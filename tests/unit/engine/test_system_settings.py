import pytest
from pydantic import ValidationError

from reconciler.engine.system_settings import SystemSettings, longest_s

KEY = f"cache.example-1:{'A' * 43}="


def settings(**given) -> SystemSettings:
    return SystemSettings.model_validate(given)


def test_nothing_is_fetched_or_evaluated_unless_it_is_said() -> None:
    found = settings()
    assert (found.caches, found.public_keys, found.evaluate) == ((), (), None)
    assert found.watchdog_s >= 2 * found.settle_s + 180
    assert longest_s(found) == longest_s(None) == 0.0


def test_caches_go_with_keys() -> None:
    url = "https://cache.example/x?priority=10"
    assert settings(caches=(url,), public_keys=(KEY,)).caches == (url,)
    assert settings(public_keys=(KEY,)).public_keys == (KEY,)
    with pytest.raises(ValidationError, match="nothing unsigned"):
        settings(caches=(url,))


def test_evaluation_has_limits() -> None:
    found = settings(evaluate={})
    assert found.evaluate.memory_mebibytes == 2048
    assert longest_s(found) == 3.0 * found.evaluate.timeout_s


@pytest.mark.parametrize(
    "wrong",
    [
        {"caches": ("cache.example",), "public_keys": (KEY,)},
        {"caches": ("https://a b",), "public_keys": (KEY,)},
        {"caches": ("https://cache.example?trusted=true",), "public_keys": (KEY,)},
        {"caches": ("file:///srv/cache?priority=1&trusted=1",), "public_keys": (KEY,)},
        {"caches": ("https://cache.example?%74rusted=1",), "public_keys": (KEY,)},
        {"caches": ("https://a\nsubstituters = x",), "public_keys": (KEY,)},
        {"public_keys": ("cache.example-1",)},
        {"public_keys": (f"{KEY} {KEY}",)},
        {"public_keys": (f"x:{'A' * 42}=",)},
        {"watchdog_s": 300, "settle_s": 120},
        {"settle_s": 10},
        {"evaluate": {"memory_mebibytes": 1}},
        {"evaluate": {"timeout_s": 0}},
        {"profile": "/nix/var/nix/profiles/other"},
    ],
)
def test_what_is_out_of_its_form_is_refused(wrong) -> None:
    with pytest.raises(ValidationError):
        settings(**wrong)
