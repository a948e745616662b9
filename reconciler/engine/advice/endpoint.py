"""What ``advise:`` of the settings asks for, made ready, or why it cannot be."""

from importlib.util import find_spec

from reconciler.advise.adviser import Adviser
from reconciler.advise.endpoint import OPENAI, Endpoint, check_url, trust
from reconciler.engine.secret_files import secret_line
from reconciler.engine.settings import Home
from reconciler.errors import InputError, MachineError


def adviser_of(home: Home) -> Adviser | None:
    """The endpoint of the settings; None if they name none. Nothing is sent.

    Raises:
        InputError: The address may not be asked, or a file of the settings cannot be read.
        MachineError: The openai package is not installed.
    """
    settings = home.settings.advise
    if settings is None:
        return None
    from reconciler.advise.ask import Remote  # noqa: PLC0415 - lazy: asyncio

    if find_spec("openai") is None or find_spec("httpx2") is None:
        message = "advise is set, and openai is not installed here"
        raise MachineError(message, hint="pip install 'reconciler[advise]'")
    try:
        url = check_url((settings.base_url or OPENAI).rstrip("/"))
    except InputError as error:
        where = home.where("advise.base_url")
        raise InputError(error.message, hint=error.hint, where=where) from error
    ca_file = None if settings.ca_file is None else home.path(settings.ca_file)
    # Seen to now, not when a question is in the ledger already.
    trust(ca_file)
    key = None if settings.key is None else secret_line(home, settings.key, "advise.key")
    return Remote(
        Endpoint(
            kind=settings.kind,
            base_url=url,
            model=settings.model,
            key=key,
            deployment=settings.deployment,
            api_version=settings.api_version,
            ca_file=ca_file,
            prompt_price=settings.prompt_microusd_per_million_tokens,
            completion_price=settings.completion_microusd_per_million_tokens,
        )
    )
