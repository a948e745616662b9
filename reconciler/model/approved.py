"""``runbooks/approved.yaml``: which runbooks may run, each pinned to its content."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import StringConstraints

from reconciler.model.document import Document, RunbookId

Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]


class Approved(Document):
    """The allow-list. A runbook that is not here, or whose file differs, does not run."""

    runbooks: Mapping[RunbookId, Digest]
