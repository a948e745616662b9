import pytest

from reconciler.transport.cause import Cause, cause_of, failure, harmless


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        ("invalid or unknown remote ssh hostkey", "unknown-host"),
        ("the SSL certificate is invalid", "bad-certificate"),
        ("failed to resolve address for x: Name or service not known", "no-network"),
        ("failed to connect to 127.0.0.1: Connection refused", "no-network"),
        ("Failed to authenticate SSH session: Unable to open public key file", "auth-failed"),
        ("unexpected http status code: 403", "auth-failed"),
        ("unexpected http status code: 404", "not-found"),
        ("early EOF", "lost"),
        ("failed to write chunk: No space left on device", "local"),
        ("something that nobody has seen", "broken"),
    ],
)
def test_words_of_libgit2_become_a_cause(words, cause):
    assert cause_of(words) == cause


@pytest.mark.parametrize("cause", Cause.__args__)
def test_every_cause_has_a_message_and_a_hint(cause):
    message, hint = failure(cause, server="fleet server", meanwhile="the old state stays")
    assert message
    assert hint.endswith(".")
    assert "{" not in message + hint


def test_words_lose_control_characters_and_length():
    assert harmless("a\x1b[31m\u202eb" + "x" * 500) == "a?[31m?b" + "x" * 152
