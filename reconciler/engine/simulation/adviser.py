"""A stand-in for a language model in simulations: it never chooses, takes the first, or any.

It answers with the bytes of a chat completion, so that reading, budgets and entries are the real
ones. No network is touched.
"""

import json
import random
from dataclasses import dataclass, field
from typing import Literal

from reconciler.advise.endpoint import Endpoint
from reconciler.advise.question import ESCALATE, Question
from reconciler.advise.reply import Reply
from reconciler.guard.advice_budget import Level

Chooser = Literal["never", "first", "random"]

_BYTES_A_TOKEN = 4
"""A usual measure for English and JSON; what a real endpoint counts may differ by a third."""


@dataclass(slots=True)
class SimulatedAdviser:
    """An `reconciler.advise.adviser.Adviser` without an endpoint.

    Attributes:
        chooser: What it does.
        seed: Of what it takes at random.
    """

    chooser: Chooser
    seed: int
    _dice: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)  # noqa: S311 - to be repeatable, not secret

    @property
    def endpoint(self) -> Endpoint:
        """Nowhere."""
        return Endpoint(kind="compatible", base_url="http://127.0.0.1:1", model="simulated")

    def ask(self, question: Question, level: Level, timeout_s: float) -> Reply:
        """Answer at once."""
        del level, timeout_s
        said = {"check": question.check, "choice": self._choice(question)}
        text = json.dumps(said | {"confidence_percent": 100})
        tokens = {
            "prompt_tokens": len(question.prompt) // _BYTES_A_TOKEN,
            "completion_tokens": len(text) // _BYTES_A_TOKEN,
        }
        message = {"role": "assistant", "content": text}
        choices = [{"index": 0, "finish_reason": "stop", "message": message}]
        content = {"object": "chat.completion", "choices": choices, "usage": tokens}
        return Reply(200, json.dumps(content).encode())

    def _choice(self, question: Question) -> str:
        options = list(question.options)
        if self.chooser == "never" or not options:
            return ESCALATE
        return options[0] if self.chooser == "first" else self._dice.choice(options)
