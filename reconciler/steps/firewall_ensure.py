"""Write the rule set that lets in the declared ports and nothing else. Loading is another step.

The whole rule set is this file's: address translation or forwarding that somebody wrote into it
by hand is replaced (and kept as a backup), so a router is not a host for this step.
"""

from reconciler.model.answer import Answers
from reconciler.model.operation import Operation, WriteFile
from reconciler.model.probe import Probe
from reconciler.model.step import StepKind
from reconciler.model.values import Params
from reconciler.steps.shared import file, nftables, take
from reconciler.steps.shared.file import Access, Found

_FILE: Params = {"path": nftables.FILE}


def do(params: Params, before: Answers) -> tuple[Operation, ...]:
    """Keep what is there, then replace it; nothing when it is right already."""
    was = file.found(_FILE, before)
    text = nftables.ruleset(take.texts(params, "open_ports")).encode()
    if was == Found(text, Access(0o644, 0, 0)):
        return ()
    write = WriteFile(nftables.FILE, text)
    return (write,) if was is None else (file.backup(_FILE, was), write)


def undo(_params: Params, before: Answers) -> tuple[Operation, ...]:
    """Put back the exact bytes, mode and owner, or remove the file if there was none."""
    return (file.put_back(_FILE, file.found(_FILE, before)),)


def ask(_params: Params) -> tuple[Probe, ...]:
    """The file as it is."""
    return file.ask_content(_FILE)


def cuts(params: Params) -> frozenset[str]:
    """Every port but those that are declared open."""
    ports = sorted(set(take.texts(params, "open_ports")))
    return frozenset({f"port:!{','.join(ports)}"})


def touches(_params: Params) -> frozenset[str]:
    """The file, and with it every port."""
    return frozenset({f"file:{nftables.FILE}", "port:*"})


STEP = StepKind(
    id="firewall.ensure",
    doc="Write the rule set that lets in the declared ports and nothing else.",
    params={"open_ports": nftables.OPEN_PORTS},
    before=ask,
    do=do,
    undo=undo,
    reversible=True,
    cuts=cuts,
    touches=touches,
)
