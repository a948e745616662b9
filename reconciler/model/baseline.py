"""``policies/baselines/<id>.yaml``: a named, versioned set of rules."""

from pydantic import Field

from reconciler.model.check import Platform
from reconciler.model.document import Document, FrameworkId, Name, Text


class Baseline(Document):
    """A set of rules that hosts take by name; the version is part of the id and of every change.

    Attributes:
        frameworks: Those whose tested controls it claims to cover; none for a supplement, which a
            host names beside another one.
    """

    id: Name
    title: Text
    version: str = Field(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")
    platforms: tuple[Platform, ...] = Field(min_length=1)
    frameworks: tuple[FrameworkId, ...] = ()
    rules: tuple[Name, ...] = Field(min_length=1)
