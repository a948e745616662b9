"""Whether this machine is a container, as its service manager saw it at boot.

systemd writes the kind of container to ``/run/systemd/container`` (CONTAINER_INTERFACE); the file
is absent on real and virtual machines. In a container the kernel's audit belongs to the host.
"""

from reconciler.checks.parsing.shapes import word
from reconciler.model.answer import Answers
from reconciler.model.check import NotApplicable
from reconciler.model.probe import Probe, ReadFile

CONTAINER = ReadFile("/run/systemd/container", limit=256)


def audit_belongs_to_host(answers: Answers, audit: Probe) -> NotApplicable | None:
    """Why audit does not apply here, or ``None`` when it has to be looked at.

    An answer of the audit subsystem is judged even where the file exists: whoever can write the
    file must not be able to switch the check off.

    Raises:
        Unobservable: The file names something that is no kind of container.
    """
    if answers.raw(audit).status == "ok" or answers.raw(CONTAINER).status != "ok":
        return None
    kind = word(answers.text(CONTAINER).strip(), "kind of container")
    return NotApplicable(f"a {kind} container; its host keeps the audit trail of the kernel")
