"""``system:`` of ``reconciler.yaml``: how a NixOS host comes by the system that a release names.

Without it the system is looked at and never changed. What may be run is never a setting: that is
what releases say, and whoever signs them.
"""

from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from pydantic import Field, StringConstraints, model_validator

from reconciler.model.document import Document

CacheUrl = Annotated[
    str, StringConstraints(max_length=2048, pattern=r"^(https?|file|s3|ssh-ng)://[!-~]+$")
]
PublicKey = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}:[A-Za-z0-9+/]{43}=$")
]
"""As ``nix key convert-secret-to-public`` prints it: a name and an Ed25519 key in base 64."""


class EvaluateSettings(Document):
    """Evaluation of the verified commit on this host, beside what a release says.

    Attributes:
        memory_mebibytes: Address space that the evaluator may have.
        timeout_s: Seconds that evaluation and build may take together.
    """

    memory_mebibytes: int = Field(default=2048, ge=256, le=65536)
    timeout_s: int = Field(default=1800, ge=10, le=14400)


class SystemSettings(Document):
    """How a system comes here, and how long its activation may take to prove itself.

    Attributes:
        caches: Binary caches, asked in this order; none: only what the store has already.
        public_keys: Whose signatures on store paths count.
        realise_timeout_s: Seconds that fetching a system may take.
        max_gibibytes: How much fetching it may write.
        watchdog_s: Seconds after the switch until the watchdog returns to the recorded system.
        settle_s: Seconds that a new system is looked at before it is confirmed.
        evaluate: Let this host evaluate the commit by itself; left out: it evaluates nothing.
    """

    caches: tuple[CacheUrl, ...] = Field(default=(), max_length=16)
    public_keys: tuple[PublicKey, ...] = Field(default=(), max_length=16)
    realise_timeout_s: int = Field(default=3600, ge=10, le=14400)
    max_gibibytes: int = Field(default=16, ge=1, le=1024)
    watchdog_s: int = Field(default=600, ge=300, le=7200)
    settle_s: int = Field(default=120, ge=60, le=600)
    evaluate: EvaluateSettings | None = None

    @model_validator(mode="after")
    def _fits(self) -> "SystemSettings":
        if self.caches and not self.public_keys:
            raise ValueError("caches need public_keys: nothing unsigned is taken")
        if any("trusted" in parse_qs(urlsplit(cache).query) for cache in self.caches):
            raise ValueError("caches may not be trusted without a signature")
        if self.watchdog_s < 2 * self.settle_s + 180:
            raise ValueError("watchdog_s must be at least twice settle_s and 180 more")
        return self


def longest_s(settings: SystemSettings | None) -> float:
    """How long this host may be about a system before a run looks at anything; for watchdogs."""
    if settings is None or settings.evaluate is None:
        return 0.0
    return 3.0 * settings.evaluate.timeout_s
