import json
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.targets.linux.audit import read_status
from reconciler.targets.linux.audit_text import rule_text
from reconciler.targets.linux.no_answer import NoAnswer

VECTORS = Path(__file__).parents[3] / "vectors/targets/audit/rules.json"
RULES = json.loads(VECTORS.read_text())["rules"]


def encoded(vector: dict[str, Any]) -> bytes:
    words = [0] * 260
    if vector["every_call"]:
        words[3:67] = [0xFFFFFFFF] * 64
    for at, word in vector["words"].items():
        words[int(at)] = word
    return struct.pack("=260I", *words) + vector["texts"].encode()


@pytest.mark.parametrize("vector", RULES, ids=[vector["rule"] for vector in RULES])
def test_a_rule_reads_as_auditctl_lists_it(vector: dict[str, Any]) -> None:
    assert rule_text(encoded(vector)) == vector["listed"]


def test_a_rule_with_two_keys() -> None:
    vector = RULES[2] | {
        "texts": "/etc/passwda\x01b",
        "words": RULES[2]["words"] | {"133": 3, "259": 14},
    }
    assert rule_text(encoded(vector)) == "-w /etc/passwd -p wa -k a -k b"


@pytest.mark.parametrize(
    "words", [{"2": 65}, {"259": 500}, {"131": 4000}], ids=["fields", "buffer", "text"]
)
def test_sizes_that_do_not_fit_are_refused(words: dict[str, int]) -> None:
    with pytest.raises(NoAnswer, match="malformed"):
        rule_text(encoded(RULES[2] | {"words": RULES[2]["words"] | words}))


@given(st.binary(max_size=1200))
def test_garbage_is_refused_or_read(data: bytes) -> None:
    try:
        assert isinstance(rule_text(data), str)
    except NoAnswer as refused:
        assert refused.reason == "malformed audit rule"


def test_status() -> None:
    data = struct.pack("=8I", 0, 2, 1, 431, 0, 8192, 5, 0)
    assert read_status(data) == {
        "enabled": 2, "backlog_limit": 8192, "lost": 5, "pid": 431, "failure": 1,
    }  # fmt: skip
    with pytest.raises(NoAnswer):
        read_status(data[:20])
