"""An appliance whose fleet has people, a trust policy, a heartbeat of CI and a promised limit.

The machine is that of `tests.support.drill`, the fleet a bare repository of
`tests.support.trust_fleet` that both keep the same time: minutes after ``START``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from reconciler import RunReport
from reconciler.desired.layout import TRUST
from tests.support.appliances import SettableClock, new_site
from tests.support.drill import BASELINE, BASELINE_FILE, CLIENT_FILE, HOST_FILE, HOST_TEXT, Drill
from tests.support.fleet_git import SIGNERS, START
from tests.support.policy import files_under
from tests.support.trust_fleet import POLICY, POLICY_TEXT, TrustFleet, signers_text

LIMIT_H = 26
HOUR = 3600.0
DAY = 24 * HOUR


@dataclass
class Watched:
    """A drill, and the fleet that it follows.

    Attributes:
        counter: Of the newest heartbeat that was signed.
    """

    drill: Drill
    fleet: TrustFleet
    counter: int = 0

    @property
    def minutes(self) -> float:
        """The drill's time, as the fleet counts."""
        return int((self.drill.clock.at - START).total_seconds()) / 60

    def beat(self, commit: str | None = None, *, by: str = "ci", **how: object) -> None:
        """Sign a heartbeat now, with the next number unless told otherwise."""
        self.counter += 1
        chosen = {"counter": self.counter, "time": self.minutes, **how}
        self.fleet.heartbeat(by, commit, **chosen)  # type: ignore[arg-type]

    def commit(self, by: str, changes: Mapping[str, str | None], **how: object) -> str:
        """Commit now."""
        return self.fleet.commit(by, changes, minutes=self.minutes, **how)  # type: ignore[arg-type]

    def run(self, *, after_s: float = 300, **options: object) -> RunReport:
        """One run, in an appliance that is opened for it."""
        return self.drill.run(after_s=after_s, **options)

    def pass_time(self, seconds: float) -> None:
        """Let time go by on both clocks of the machine."""
        self.drill.clock.pass_time(seconds)

    def reboot(self, *, off_s: float = 0, up_s: float = 60) -> None:
        """Switch the machine off and on again."""
        drill = self.drill
        drill.clock.at += timedelta(seconds=off_s + up_s)
        drill.clock.up = up_s
        drill.boot = f"{int(drill.boot[:8], 16) + 1:08x}{drill.boot[8:]}"

    def away(self) -> Path:
        """Take the server away; returns where its repository is meanwhile."""
        return self.fleet.path.rename(self.fleet.path.with_name("away.git"))

    def refusals(self) -> list[str]:
        """Codes of the refusal entries."""
        return [body["reason"] for body in self.drill.bodies("refusal")]

    def setting(self, old: str, new: str) -> None:
        """Change the settings of the appliance."""
        file = Path(self.drill.site.settings)
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new, 1))


def client_text(text: str, limit_h: int | None) -> str:
    """A client file with another limit."""
    lines = [line for line in text.splitlines() if not line.startswith("freshness_h")]
    lines += [] if limit_h is None else [f"freshness_h: {limit_h}"]
    return "\n".join(lines) + "\n"


def new_watched(
    directory: Path, *, limit_h: int | None = LIMIT_H, policy: str | None = POLICY_TEXT
) -> Watched:
    """A clean machine that follows a fleet with one commit by alice and no heartbeat yet."""
    clock = SettableClock(START + timedelta(hours=1))
    site = new_site(directory, clock)
    work = site.fleet
    (work / BASELINE_FILE).write_text(BASELINE)
    (work / HOST_FILE).write_text(HOST_TEXT)
    files = {path: data for path, data in files_under(work).items() if _kept(path)}
    files[CLIENT_FILE] = client_text(files[CLIENT_FILE].decode(), limit_h).encode()
    files[SIGNERS] = signers_text().encode()
    if policy is not None:
        files[POLICY] = policy.encode()
    fleet = TrustFleet(directory / "fleet.git")
    fleet.commit("alice", files, parents=())
    (directory / "trust/allowed_signers").write_text(signers_text("alice"))
    watched = Watched(Drill(site, clock), fleet)
    watched.setting("url: fleet\n", "url: fleet.git\n")
    _unpin(Path(site.settings))
    return watched


def _kept(path: str) -> bool:
    return path.startswith(("hosts/", "policies/", "runbooks/")) and not path.startswith(TRUST)


def _unpin(settings: Path) -> None:
    """Forget the commit that the scaffold pinned: it is of another repository."""
    lines = settings.read_text().splitlines(keepends=True)
    settings.write_text("".join(line for line in lines if not line.startswith("  pin:")))
