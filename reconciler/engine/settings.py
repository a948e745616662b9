"""``reconciler.yaml``: what one appliance knows about itself before it trusts anything."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints

from reconciler.desired import strict_yaml
from reconciler.errors import InputError, Where
from reconciler.model.document import Document, Name

SETTINGS_LIMIT = 64 * 1024
PathText = Annotated[str, StringConstraints(min_length=1, max_length=1024, pattern=r"^[^\x00]+$")]


class FleetSettings(Document):
    """Where desired state comes from, and whom to trust at enrolment."""

    url: PathText
    branch: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$")] = (
        "main"
    )
    signers: PathText
    ssh_key: PathText | None = None
    known_hosts: PathText | None = None
    ca_file: PathText | None = None
    token_file: PathText | None = None
    timeout_s: int = Field(default=120, ge=1, le=3600)
    max_mebibytes: int = Field(default=128, ge=1, le=4096)


class EvidenceSettings(Document):
    """Where evidence goes, and with which key it is signed."""

    repository: PathText
    key: PathText
    signers: PathText


class Settings(Document):
    """One appliance.

    Relative paths are relative to the directory of the settings file.

    Attributes:
        state: Directory for the lock and the mirror of the fleet repository; nothing in it is a
            source of truth.
        interval_s: Seconds between runs of the daemon.
        jitter_s: Up to so many seconds are added to each interval, so that a fleet does not pull
            in step.
        probe_deadline_s: Seconds that one probe may take.
    """

    client: Name
    host: Name
    fleet: FleetSettings
    evidence: EvidenceSettings
    state: PathText = "state"
    interval_s: int = Field(default=300, ge=5, le=86400)
    jitter_s: int = Field(default=30, ge=0, le=3600)
    probe_deadline_s: int = Field(default=20, ge=1, le=600)


class Home:
    """Settings, and the directory that their relative paths start from."""

    def __init__(self, settings: Settings, base: Path) -> None:
        self.settings = settings
        self.base = base

    def path(self, text: str) -> Path:
        """A path of the settings as an absolute path."""
        return self.base / text

    @property
    def fleet_url(self) -> str:
        """The fleet URL; a relative path is resolved, a URL is left as it is."""
        url = self.settings.fleet.url
        is_remote = "://" in url or (":" in url.split("/", 1)[0])
        return url if is_remote else str(self.base / url)


def load_settings(file: Path) -> Home:
    """Read and check ``reconciler.yaml``.

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
    return Home(strict_yaml.validate(document, Settings), file.resolve().parent)
