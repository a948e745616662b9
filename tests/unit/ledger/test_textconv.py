from pathlib import Path

import pytest

from reconciler.errors import EvidenceError, InputError
from reconciler.evidence import dsse
from reconciler.ledger.textconv import readable, textconv
from tests.support.forge import KEY


def test_a_statement_is_shown_indented_and_in_ascii(tmp_path: Path) -> None:
    file = tmp_path / "00000000.dsse.json"
    payload = '{"seq":0,"word":"\u202eé"}'.encode()
    file.write_bytes(dsse.seal(payload, dsse.PAYLOAD_TYPE, KEY))
    assert textconv(file) == '{\n  "seq": 0,\n  "word": "\\u202e\\u00e9"\n}\n'


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{}", b'{"payload":1}', b'{"payload":"!"}', b'{"payload":"bm8="}', b"[" * 9000],
)
def test_what_is_no_envelope(data: bytes) -> None:
    with pytest.raises(EvidenceError, match="not a DSSE envelope"):
        readable(data)


def test_what_is_too_large_or_not_there(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="too large"):
        readable(b" " * (dsse.MAX_ENVELOPE + 1))
    with pytest.raises(InputError, match="cannot be read"):
        textconv(tmp_path / "none")
