"""Somebody who may sign without a key of their own."""

import re
from dataclasses import dataclass

from reconciler.errors import InputError

NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}")
"""Names of identities: they are written into evidence and printed, so nothing but plain words."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody who may sign.

    Attributes:
        name: What evidence and policies call it: a plain word, ``ci``.
        issuer: Who vouched for the identity: ``https://token.actions.githubusercontent.com``.
        identity: The identity itself, compared whole; on GitHub the workflow and its branch:
            ``https://github.com/msp/fleet/.github/workflows/attest.yml@refs/heads/main``.
        repository: Where the workflow must have run, ``https://github.com/msp/fleet``: a workflow
            that is shared may be called from anywhere. None where the issuer has none.
    """

    name: str
    issuer: str
    identity: str
    repository: str | None = None

    def __post_init__(self) -> None:
        """Refuse an identity that would match nobody, or whom nobody can name."""
        if NAME.fullmatch(self.name) is None:
            raise InputError(
                f"{self.name!r:.80} is no name of an identity",
                hint=f"Use lower-case letters, digits, dots and dashes: {NAME.pattern}",
            )
        if not self.issuer or not self.identity or self.repository == "":
            raise InputError(
                f"identity {self.name} lacks its issuer, its subject or its repository",
                hint="Name all of them; nobody is trusted by a part of a name.",
            )
