"""What a model answered, read so that anything but a clean choice is no choice.

Rule 1: Any bytes give a judgement; nothing raises, nothing is repaired or guessed.
Rule 2: Accepted is one id of this very question, for the check that fails, with enough confidence.
Rule 3: Confidence grants nothing: it can only turn a choice down.
Rule 4: An answer that repeats the secret mark was written under somebody else's orders.
"""

import json
import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from reconciler.advise.question import ESCALATE, Question
from reconciler.guard.advice_budget import Result

LONGEST_ANSWER = 4096
MOST_TOKENS = 10**9
_FENCED = re.compile(r"```(?:json)?\s*\n(.*)\n\s*```", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an answer is worth.

    Attributes:
        result: Only ``accepted`` leads to an action.
        choice: Id of a candidate of the question; None for ``ESCALATE`` and whatever is no answer.
        confidence_percent: As the model says; None where it said nothing that reads as one.
    """

    result: Result
    choice: str | None = None
    confidence_percent: int | None = None


class _Choice(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    check: Annotated[str, StringConstraints(max_length=64)]
    choice: Annotated[str, StringConstraints(max_length=64)]
    confidence_percent: int = Field(ge=0, le=100)


class _Message(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None
    tool_calls: list[Any] | None = Field(default=None, max_length=0)


class _Said(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    message: _Message


class _Completion(BaseModel):
    """What is read of a chat completion; servers add what they like."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    choices: list[_Said] = Field(min_length=1, max_length=1)


class _Usage(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    prompt_tokens: int = Field(ge=0, le=MOST_TOKENS)
    completion_tokens: int = Field(ge=0, le=MOST_TOKENS)


def text_of(content: bytes) -> str | None:
    """The model's words in the body of an answer; None if it is no chat completion."""
    try:
        return _Completion.model_validate(strict_json(content)).choices[0].message.content
    except (ValueError, RecursionError):
        return None


def tokens_of(content: bytes) -> tuple[int, int] | None:
    """Tokens of prompt and completion as the server counts them; None if it does not say."""
    try:
        loaded = strict_json(content)
        usage = _Usage.model_validate(loaded.get("usage") if isinstance(loaded, dict) else None)
    except (ValueError, RecursionError):
        return None
    return usage.prompt_tokens, usage.completion_tokens


def judge(text: str | None, question: Question, least_percent: int) -> Judgement:
    """What an answer to a question is worth.

    Args:
        text: The model's words; None if there are none.
        question: What was asked.
        least_percent: Less confidence than this is none.
    """
    if text is not None and question.canary in text:
        return Judgement("contradiction")
    said = None if text is None else _read(text)
    if said is None:
        return Judgement("invalid")
    confidence = said.confidence_percent
    if said.choice == ESCALATE:
        return Judgement("escalate", None, confidence)
    candidate = question.options.get(said.choice)
    if candidate is None:
        return Judgement("invalid", None, confidence)
    if said.check != question.check or question.check not in candidate.pinned.runbook.fixes:
        return Judgement("contradiction", said.choice, confidence)
    if confidence < least_percent:
        return Judgement("low-confidence", said.choice, confidence)
    return Judgement("accepted", said.choice, confidence)


def _read(text: str) -> _Choice | None:
    if len(text) > LONGEST_ANSWER:
        return None
    try:
        return _Choice.model_validate(strict_json(unfenced(text).encode()))
    except (ValueError, RecursionError):
        return None


def unfenced(text: str) -> str:
    """A text without blanks and a fence around it, which many models cannot leave out."""
    bare = text.strip()
    fenced = _FENCED.fullmatch(bare)
    return fenced[1] if fenced else bare


def strict_json(data: bytes) -> Any:
    """JSON, with what its readers disagree about refused.

    Raises:
        ValueError: No UTF-8, no JSON, NaN or infinity, or a name twice in one object.
    """
    return json.loads(data.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")
