"""``policies/tiers/<id>.yaml``: what a client has bought. Features only, never retention.

``observe`` looks, judges and signs, which is the service itself, so every tier has it. ``heal``
lets runbooks change machines. ``advise`` lets a language model choose among approved runbooks, for
clients that consented. The others name what this version does not have yet: they switch nothing,
and `reconciler check` says so wherever a tier lists one.
"""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from reconciler.model.document import Document, Name, Text

Feature = Literal["observe", "heal", "advise", "packet", "windows", "network", "saas"]

AVAILABLE: frozenset[Feature] = frozenset({"observe", "heal", "advise"})
"""Features that switch something in this version."""

OF_KIND: Mapping[str, Feature] = {"windows": "windows", "network": "network", "saas": "saas"}
"""What a kind of host needs beside ``observe``."""


class Tier(Document):
    """Feature switches.

    Retention of required records is six years in every tier (45 CFR 164.316(b)(2)(i)), and evidence
    is the client's in every tier, so there is no field for either.
    """

    id: Name
    title: Text
    features: tuple[Feature, ...] = Field(min_length=1)
