"""Asking: one request to Chat Completions, and whatever came of it as a value.

The openai client limits each read, not the whole exchange: a server that drips one byte at a time
would hold the appliance for ever. So a question runs under one deadline that covers connecting,
headers and body, and is sent exactly once: whoever asks again counts it.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from reconciler.advise.endpoint import Endpoint
from reconciler.advise.ladder import response_format
from reconciler.advise.prompt import Prompt
from reconciler.advise.reply import NoReply, Reply
from reconciler.guard.advice_budget import Level

_MOST_TOKENS = 200
_MOST_REASONING_TOKENS = 2000
_NO_KEY = "none"


@dataclass(frozen=True, slots=True)
class Remote:
    """The endpoint of the settings, as an `reconciler.advise.adviser.Adviser`."""

    endpoint: Endpoint

    def ask(self, question: Prompt, level: Level, timeout_s: float) -> Reply | NoReply:
        """Ask once.

        Raises:
            InputError: The file of certificates cannot be read.
        """
        loop = asyncio.new_event_loop()
        try:
            return loop.run_until_complete(_ask(self.endpoint, question, level, timeout_s))
        finally:
            # Not `asyncio.run`: it would wait for a name server that does not answer.
            loop.close()


async def _ask(
    endpoint: Endpoint, question: Prompt, level: Level, timeout_s: float
) -> Reply | NoReply:
    import httpx2  # noqa: PLC0415 - lazy: openai's, and slow to import
    import openai  # noqa: PLC0415 - lazy: slow to import, and need not be installed

    from reconciler.advise import wire  # noqa: PLC0415 - lazy: httpx2

    async with wire.client(endpoint.ca_file, timeout_s, keyless=endpoint.key is None) as http:
        try:
            async with asyncio.timeout(timeout_s):
                said = await _client(endpoint, http).chat.completions.with_raw_response.create(
                    **_request(endpoint, question, level)
                )
                return Reply(said.http_response.status_code, said.http_response.content)
        except openai.APIStatusError as error:
            return Reply(error.response.status_code, error.response.content)
        except (TimeoutError, openai.APITimeoutError):
            return NoReply("timeout")
        except (openai.OpenAIError, httpx2.HTTPError, httpx2.StreamError, OSError, ValueError):
            # Whatever a server does is one of these; its words are not passed on.
            return NoReply("unreachable")


def _client(endpoint: Endpoint, http: Any) -> Any:
    import openai  # noqa: PLC0415 - lazy: slow to import, and need not be installed

    key = endpoint.key or _NO_KEY
    if endpoint.kind == "azure":
        return openai.AsyncAzureOpenAI(
            azure_endpoint=endpoint.base_url,
            azure_deployment=endpoint.deployment,
            api_version=endpoint.api_version,
            api_key=key,
            max_retries=0,
            http_client=http,
        )
    return openai.AsyncOpenAI(
        base_url=endpoint.base_url, api_key=key, max_retries=0, http_client=http
    )


def _request(endpoint: Endpoint, question: Prompt, level: Level) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "model": endpoint.model,
        "messages": [
            {"role": "system", "content": question.system},
            {"role": "user", "content": question.user},
        ],
    }
    wanted = response_format(level, question.schema)
    if wanted is not None:
        asked["response_format"] = wanted
    if endpoint.kind == "compatible":
        return asked | {"max_tokens": _MOST_TOKENS, "temperature": 0}
    # Models that reason first refuse a temperature, and spend tokens before they answer.
    asked["max_completion_tokens"] = _MOST_REASONING_TOKENS
    return asked | ({"store": False} if endpoint.kind == "openai" else {})
