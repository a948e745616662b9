"""``reconciler.yaml``: what one appliance knows about itself before it trusts anything."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from reconciler.desired import strict_yaml
from reconciler.engine.advice.settings import AdviseSettings
from reconciler.engine.evidence_settings import EvidenceSettings, PathText
from reconciler.engine.system_settings import SystemSettings
from reconciler.engine.tickets.settings import Channels
from reconciler.errors import InputError, Where
from reconciler.model.document import Document, Name

SETTINGS_LIMIT = 64 * 1024


Branch = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$")]
CommitId = Annotated[str, StringConstraints(pattern=r"^(?:[0-9a-f]{40}|[0-9a-f]{64})$")]


class FleetSettings(Document):
    """Where desired state comes from, and whom to trust at enrolment.

    Attributes:
        branch: The one branch that counts.
        attestations: The branch with approvals, releases, heartbeats and recoveries; null if
            there is none. One that is named and not there holds nothing.
        signers: Allowed signers file that is pinned at enrolment.
        pin: Hex id of a commit that was checked by hand at enrolment: the first acceptance must
            descend from it and is held to its trust policy. Without it, the pinned signers alone
            decide what is accepted first.
    """

    url: PathText
    branch: Branch = "main"
    attestations: Branch | None = "attestations"
    signers: PathText
    pin: CommitId | None = None
    ssh_key: PathText | None = None
    known_hosts: PathText | None = None
    ca_file: PathText | None = None
    token_file: PathText | None = None
    timeout_s: int = Field(default=120, ge=1, le=3600)
    max_mebibytes: int = Field(default=128, ge=1, le=4096)


class Settings(Document):
    """One appliance.

    Relative paths are relative to the directory of the settings file.

    Attributes:
        notify: Channels by which people are called, by name.
        system: How a NixOS host comes by its system; null: it is looked at, never changed.
        helper: Unix socket of the helper that carries out steps; null: this process does.
        state: Directory for the lock and the mirror of the fleet repository. Nothing in it is a
            source of truth but the runs that wait to be sealed (``evidence.seal_s``).
        interval_s: Seconds between runs of the daemon.
        jitter_s: Up to so many seconds are added to each interval, so that a fleet does not pull
            in step.
        probe_deadline_s: Seconds that one probe may take.
    """

    client: Name
    host: Name
    fleet: FleetSettings
    evidence: EvidenceSettings
    advise: AdviseSettings | None = None
    notify: Channels = Field(default={}, max_length=16)
    system: SystemSettings | None = None
    helper: PathText | None = None
    state: PathText = "state"
    interval_s: int = Field(default=300, ge=5, le=86400)
    jitter_s: int = Field(default=30, ge=0, le=3600)
    probe_deadline_s: int = Field(default=20, ge=1, le=600)

    @model_validator(mode="after")
    def _one_judge(self) -> "Settings":
        if self.helper is not None and self.system is not None and self.system.evaluate is not None:
            raise ValueError(
                "helper and system.evaluate exclude one another: the helper takes "
                "only systems that a release names"
            )
        return self


class Home:
    """Settings, and what their references start from.

    Attributes:
        settings: What the file says.
        base: Directory that relative paths start from.
        file: The settings file, for messages.
        credentials: Directory of the credentials that systemd passes; None if it passes none.
    """

    def __init__(
        self, settings: Settings, base: Path, file: Path, credentials: Path | None = None
    ) -> None:
        self.settings = settings
        self.base = base
        self.file = file
        self.credentials = credentials

    def path(self, text: str) -> Path:
        """A path of the settings as an absolute path."""
        return self.base / text

    @property
    def fleet_url(self) -> str:
        """The fleet URL; a relative path is resolved, a URL is left as it is."""
        return self.address(self.settings.fleet.url)

    def address(self, url: str) -> str:
        """An address of the settings: a relative path is resolved, a URL is left as it is."""
        is_remote = "://" in url or (":" in url.split("/", 1)[0])
        return url if is_remote else str(self.base / url)

    def where(self, field: str) -> Where:
        """A field of the settings, for a message."""
        return Where(str(self.file), field=field)


def load_settings(file: Path, credentials: Path | None = None) -> Home:
    """Read and check ``reconciler.yaml``.

    Args:
        file: Where it is.
        credentials: Directory of the credentials that systemd passes; None if it passes none.

    Raises:
        InputError: It is missing, unreadable, too large or wrong; says which field and why.
    """
    try:
        with file.open("rb") as stream:
            data = stream.read(SETTINGS_LIMIT + 1)
    except OSError as error:
        raise InputError(
            f"cannot read the settings: {error.strerror}",
            hint="Give --config FILE, or make one with: reconciler init DIRECTORY",
            where=Where(str(file)),
        ) from error
    document = strict_yaml.load(data, str(file), limit=SETTINGS_LIMIT)
    settings = strict_yaml.validate(document, Settings)
    return Home(settings, file.resolve().parent, file, credentials)
