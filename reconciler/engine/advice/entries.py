"""Bodies of ``advice`` entries: the whole question before it leaves, the judgement after it came.

What the model said is kept as a digest: its words are nobody's evidence, its choice is.
"""

from dataclasses import dataclass
from typing import Any

from reconciler.advise.answer import Judgement
from reconciler.advise.endpoint import Endpoint
from reconciler.advise.question import Question
from reconciler.guard.advice_budget import Level, refused_form
from reconciler.ledger.store import Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """One request that is about to be sent."""

    run: str
    incident: str
    endpoint: Endpoint
    level: Level
    question: Question


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came of it.

    Attributes:
        status: HTTP status; None without an answer.
        sha256: Hex SHA-256 of the answer's body; None without one.
        tokens: Of prompt and completion, as the endpoint counts them.
        ms: From the entry before the question to the judgement.
    """

    judgement: Judgement
    status: int | None = None
    sha256: str | None = None
    tokens: tuple[int, int] | None = None
    ms: int = 0

    @property
    def refused_form(self) -> bool:
        """Whether the endpoint does not know the form that it was asked for."""
        return refused_form(self.judgement.result, self.status)


def asked_body(asking: Asking) -> dict[str, Any]:
    """What is asked of whom, complete: this entry is in the ledger before anything is sent."""
    question = asking.question
    return {
        "run": asking.run,
        "phase": "asked",
        "incident": asking.incident,
        "endpoint": asking.endpoint.name,
        "model": asking.endpoint.model,
        "level": asking.level,
        "candidates": [
            {
                "id": key,
                "action": one.action.id,
                "runbook": one.action.runbook,
                "digest": one.action.runbook_digest,
                "params": {
                    name: list(value) if isinstance(value, tuple) else value
                    for name, value in one.action.params.items()
                },
            }
            for key, one in question.options.items()
        ],
        "left_out": question.left_out,
        "withheld": question.withheld,
        "prompt": question.prompt,
        "prompt_sha256": question.prompt_sha256,
    }


def answered_body(asking: Asking, receipt: Receipt, answered: Answered) -> dict[str, Any]:
    """How it ended."""
    judgement, tokens = answered.judgement, answered.tokens
    accepted = judgement.result == "accepted"
    chosen = asking.question.options.get(judgement.choice or "") if accepted else None
    return {
        "run": asking.run,
        "phase": "answered",
        "asked": {"seq": receipt.seq, "sha256": receipt.digest},
        "incident": asking.incident,
        "endpoint": asking.endpoint.name,
        "model": asking.endpoint.model,
        "level": asking.level,
        "result": judgement.result,
        "choice": judgement.choice,
        "action": None if chosen is None else chosen.action.id,
        "confidence_percent": judgement.confidence_percent,
        "status": answered.status,
        "response_sha256": answered.sha256,
        "tokens": tokens and {"prompt": tokens[0], "completion": tokens[1]},
        "cost_microusd": asking.endpoint.cost_microusd(tokens),
        "ms": answered.ms,
    }
