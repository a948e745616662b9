"""An appliance with everything that keeps its evidence, all of it real and on loopback.

A Git server with our hook, a witness over HTTP, an OpenTimestamps calendar, a time stamping
authority, and SeaweedFS if it is given.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from reconciler import RunReport, open_appliance
from reconciler.engine.appliance import Appliance
from reconciler.engine.daemon import Daemon
from reconciler.engine.notify import Notifier
from reconciler.engine.settings import Home, load_settings
from reconciler.engine.stop import Stop
from reconciler.errors import ReconcilerError
from reconciler.evidence import sshsig
from reconciler.ledger.anchors.bitcoin_headers import Network, read_headers
from reconciler.ledger.anchors.judge import Trust
from reconciler.ledger.verify import load_signers
from reconciler.ledger.witness_memory import LedgerMemory
from reconciler.ledger.witness_server import WitnessServer
from tests.support.drill import CLIENT, HOST, Drill, new_drill
from tests.support.evidence_server import EvidenceServer, evidence_server
from tests.support.git_servers import http_server
from tests.support.loopback_http import serve
from tests.support.ots_calendar import Calendar, Chain, calendar
from tests.support.seaweed import Seaweed
from tests.support.tsa import Tsa
from tests.support.witness_rig import WITNESS_KEY, WitnessRig

REF = f"refs/heads/{CLIENT}/{HOST}"
NOBODY = "http://127.0.0.1:1"
"""An address where nobody answers."""


class Impatient(Stop):
    """Lets time pass on a test's clock instead of waiting."""

    def __init__(self, drill: Drill) -> None:
        super().__init__()
        self._drill = drill

    def wait(self, seconds: float) -> bool:
        self._drill.clock.pass_time(seconds)
        return self.asked()


@dataclass
class Site:
    """A drill, and who vouches for its evidence."""

    drill: Drill
    settings: Path
    said: list[RunReport | ReconcilerError] = field(default_factory=list)
    server: EvidenceServer | None = None
    calendar: Calendar | None = None
    tsa: Tsa | None = None

    @property
    def home(self) -> Home:
        return load_settings(self.settings)

    @property
    def reports(self) -> list[RunReport]:
        return [what for what in self.said if isinstance(what, RunReport)]

    @property
    def errors(self) -> list[str]:
        return [str(what) for what in self.said if isinstance(what, ReconcilerError)]

    def ask(self, evidence: str) -> None:
        """Set what the settings ask for besides the ledger."""
        text = self.drill_text
        self.settings.write_text(text.replace("evidence:\n", f"evidence:\n{evidence}", 1))

    @property
    def drill_text(self) -> str:
        return Path(self.drill.site.directory / "plain.yaml").read_text()

    def serve(self, runs: int, between: Callable[[int], object] = lambda _number: None) -> None:
        """A daemon for so many runs."""
        stop = Impatient(self.drill)
        home = self.home

        def hear(what: RunReport | ReconcilerError) -> None:
            self.said.append(what)
            if isinstance(what, RunReport):
                between(len(self.reports))

        def opening(home: Home) -> AbstractContextManager[Appliance]:
            return open_appliance(home, clock=self.drill.clock, make_target=self.drill.target)

        Daemon(
            home,
            Notifier(None),
            hear,
            hear,
            opening=opening,
            stop=stop,
            jitter=lambda _most: 0.0,
        ).serve(runs)

    def kinds(self) -> list[str]:
        return self.drill.kinds()

    def trust(self) -> Trust:
        """What an auditor brings to weigh the anchors."""
        assert self.calendar is not None
        assert self.tsa is not None
        headers = read_headers(self.calendar.chain.text(), "headers", Network.TEST)
        return Trust(headers, {self.tsa.name: self.tsa.authority()})


def plain_site(directory: Path, days_ago: int = 9) -> Site:
    """An appliance whose evidence nobody keeps yet."""
    directory.mkdir(exist_ok=True)
    drill = new_drill(directory / "var", days_ago=days_ago)
    settings = Path(drill.site.settings)
    (drill.site.directory / "plain.yaml").write_text(settings.read_text())
    return Site(drill, settings)


@contextmanager
def vouched_site(directory: Path, seaweed: Seaweed | None = None) -> Iterator[Site]:
    """An appliance and everybody who vouches for it, while the block lasts."""
    site = plain_site(directory)
    signers = Path(site.drill.site.signers)
    site.server = evidence_server(directory, signers.read_text())
    site.server.config("http.receivepack", "true")
    site.tsa = Tsa(directory / "tsa")
    hub = WitnessRig(directory, load_signers(signers), clock=site.drill.clock)  # type: ignore[arg-type]
    hub.begin()
    with (
        http_server(directory) as address,
        serve(site.tsa.answer) as stamps,
        calendar(Chain()) as (site.calendar, calendars),
        LedgerMemory.open(hub.path, "hub", hub.key) as memory,
        WitnessServer(hub.witness(memory), ("127.0.0.1", 0), site.said.append) as witness,
    ):
        host, port = witness.address
        site.ask(
            evidence_yaml(
                remote=f"http://{address}/server.git",
                witness=f"http://{host}:{port}",
                calendar=calendars.url,
                authority=stamps.url,
                roots=site.tsa.directory / "root.pem",
                seaweed=seaweed,
            )
        )
        # An auditor knows the witness as well.
        signers.write_text(signers.read_text() + hub.signers_file.read_text())
        yield site


def evidence_yaml(
    *,
    remote: str = NOBODY,
    witness: str = NOBODY,
    calendar: str = NOBODY,
    authority: str = NOBODY,
    roots: Path,
    seaweed: Seaweed | None = None,
    endpoint: str | None = None,
) -> str:
    """What the settings ask for; by default of addresses where nobody answers."""
    public = sshsig.public_text(sshsig.raw_public(WITNESS_KEY))
    text = f"""\
  seal_s: 900
  checkpoint_every_s: 900
  remote:
    url: {remote}
    timeout_s: 20
  witnesses:
    - name: hub
      url: {witness}
      key: {public}
  anchors:
    calendars: ["{calendar}"]
    authorities:
      - name: alpha
        url: {authority}
        roots: {roots}
"""
    if seaweed is not None or endpoint is not None:
        secrets = roots.parent if seaweed is None else seaweed.directory
        text += f"""\
  copies:
    endpoint: {endpoint or (seaweed and seaweed.endpoint)}
    bucket: evidence
    region: us-east-1
    prefix: kept/
    years: 7
    access_key_file: {secrets / "writer.id"}
    secret_key_file: {secrets / "writer.secret"}
"""
    return text
