"""``policies/tiers/<id>.yaml``: what a client has bought. Features only, never retention."""

from typing import Literal

from pydantic import Field

from reconciler.model.document import Document, Name, Text

Feature = Literal["observe", "heal", "advise", "packet", "windows", "network", "saas"]


class Tier(Document):
    """Feature switches.

    Retention of required records is six years in every tier (45 CFR 164.316(b)(2)(i)), so there is
    no field for it.
    """

    id: Name
    title: Text
    features: tuple[Feature, ...] = Field(min_length=1)
