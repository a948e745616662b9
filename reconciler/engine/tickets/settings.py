"""``notify:`` of ``reconciler.yaml``: the channels by which people are called.

Channels only go out: nothing here listens. A secret is named by a file or as ``credential:NAME``
and never stands in the settings, because settings are shown in errors and kept in backups.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from reconciler.engine.evidence_settings import PathText, UrlText
from reconciler.model.document import Document, Name

GITHUB = "https://api.github.com"

Repository = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,39}/[A-Za-z0-9._-]{1,100}$")
]
Label = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._:-]{0,48}$")]


class _Channel(Document):
    """What every channel has.

    Attributes:
        per_hour: Most messages within an hour; what has no room goes into one digest.
        timeout_s: Seconds that one message may take.
    """

    per_hour: int = Field(default=20, ge=2, le=1000)
    timeout_s: int = Field(default=10, ge=1, le=30)


class FileChannel(_Channel):
    """Two files a ticket, Markdown and JSON, in a directory that something else watches."""

    kind: Literal["file"]
    directory: PathText


class WebhookChannel(_Channel):
    """A JSON document by POST, with an HMAC over time and body.

    Attributes:
        url: https; plain http to this machine only. It is shown in errors, so it holds no secret.
        secret: What the HMAC is made with: a file or ``credential:NAME``.
        ca_file: PEM file of the only authorities to trust.
    """

    kind: Literal["webhook"]
    url: UrlText
    secret: PathText
    ca_file: PathText | None = None


class GitHubChannel(_Channel):
    """An issue a ticket, on github.com or a GitHub Enterprise server.

    Attributes:
        repository: ``owner/name``; a private one, since it holds names of machines and rules.
        token: With the right to write issues: a file or ``credential:NAME``.
        api: Of a GitHub Enterprise server: ``https://HOST/api/v3``.
        ca_file: PEM file of the only authorities to trust.
        labels: Put on each issue; must exist there.
    """

    kind: Literal["github"]
    repository: Repository
    token: PathText
    api: UrlText = GITHUB
    ca_file: PathText | None = None
    labels: tuple[Label, ...] = Field(default=(), max_length=16)


class AppriseChannel(_Channel):
    """Mail, Slack, Teams, PagerDuty and whatever else apprise knows.

    Attributes:
        url: One apprise URL, as a whole a secret: a file or ``credential:NAME`` that holds it.
    """

    kind: Literal["apprise"]
    url: PathText


ChannelSettings = Annotated[
    FileChannel | WebhookChannel | GitHubChannel | AppriseChannel, Field(discriminator="kind")
]

Channels = Mapping[Name, ChannelSettings]
"""By the names that a client's escalation chain uses."""
