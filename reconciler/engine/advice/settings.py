"""``advise:`` of ``reconciler.yaml``: the endpoint of a language model (tier L2).

Off until it is there, and then still off for every client without consent, a business associate
agreement and a tier that has ``advise``. The numbers that guard it are in ``policies/guards.yaml``.
"""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from reconciler.engine.evidence_settings import PathText, UrlText
from reconciler.model.document import Document

ModelText = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$")]
VersionText = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[a-z-]{0,16}$")]
Price = Annotated[int, Field(ge=0, le=10**12)]


class AdviseSettings(Document):
    """Whom to ask.

    Attributes:
        kind: ``openai``, ``azure``, or ``compatible`` for any other server that speaks OpenAI's
            Chat Completions.
        base_url: What ``/chat/completions`` is put behind; for Azure the address of the resource.
        model: As the endpoint calls it.
        key: A file, or ``credential:NAME`` for what systemd passes; without one no key is sent.
        deployment: Azure's name for the deployed model.
        api_version: Azure's.
        ca_file: PEM file of the certificates to trust instead of the system's.
        prompt_microusd_per_million_tokens: Price, to reckon what a question cost.
        completion_microusd_per_million_tokens: The same for the tokens of an answer.
    """

    kind: Literal["openai", "azure", "compatible"]
    base_url: UrlText | None = None
    model: ModelText
    key: PathText | None = None
    deployment: ModelText | None = None
    api_version: VersionText | None = None
    ca_file: PathText | None = None
    prompt_microusd_per_million_tokens: Price | None = None
    completion_microusd_per_million_tokens: Price | None = None

    @model_validator(mode="after")
    def _complete(self) -> "AdviseSettings":
        if self.kind != "openai" and self.base_url is None:
            raise ValueError(f"kind {self.kind} needs base_url")
        if self.kind != "compatible" and self.key is None:
            raise ValueError(f"kind {self.kind} needs key")
        azure = (self.deployment is not None, self.api_version is not None)
        if azure != (self.kind == "azure",) * 2:
            raise ValueError("deployment and api_version belong to kind azure, which needs both")
        return self
