"""What the next boot of a NixOS machine would change of its kernel."""

from reconciler.model.answer import Answers
from reconciler.model.nixos_probe import RealPath
from reconciler.model.probe import Probe, ReadFile
from reconciler.model.system_links import BOOTED, CURRENT

_PARTS = {"kernel": "kernel", "initrd": "initrd", "modules": "kernel-modules"}
_BOOTED = {name: RealPath(f"{BOOTED}/{file}") for name, file in _PARTS.items()}
_CURRENT = {name: RealPath(f"{CURRENT}/{file}") for name, file in _PARTS.items()}
_BOOTED_WITH = ReadFile(f"{BOOTED}/kernel-params")
_WOULD_BOOT_WITH = ReadFile(f"{CURRENT}/kernel-params")

COMMAND_LINE = ReadFile("/proc/cmdline", limit=16 * 1024)

PROBES: tuple[Probe, ...] = (
    *_BOOTED.values(),
    *_CURRENT.values(),
    _BOOTED_WITH,
    _WOULD_BOOT_WITH,
)


def brings_kernel(answers: Answers) -> bool:
    """Whether the running system has a kernel of its own; in a container it has none."""
    return not answers.absent(_CURRENT["kernel"])


def pending(answers: Answers) -> tuple[str, ...]:
    """Parts that differ between the booted and the running system, sorted.

    Raises:
        Unobservable: One of them could not be looked at.
    """
    found = {
        name for name in _PARTS if _leads(answers, _BOOTED[name]) != _leads(answers, _CURRENT[name])
    }
    if answers.text(_BOOTED_WITH).split() != answers.text(_WOULD_BOOT_WITH).split():
        found.add("params")
    return tuple(sorted(found))


def overridden(answers: Answers) -> bool:
    """Whether the kernel was started with other words than the booted system declares.

    What a boot loader or a board adds is not judged: only that no declared word is missing, or said
    again in another way. A guest that its host's kernel runs was started by no system.

    Raises:
        Unobservable: The command line could not be read.
    """
    live = answers.text(COMMAND_LINE).split()
    text = answers.text(_BOOTED_WITH)
    # Boot loaders put quotation marks in other places.
    if '"' in text or not any(word.startswith("init=/nix/store/") for word in live):
        return False
    wanted = text.split()
    for word in wanted:
        same = [one for one in live if _name(one) == _name(word)]
        alike = {one for one in wanted if _name(one) == _name(word)}
        if word not in same or not alike.issuperset(same):
            return True
    return False


def _name(word: str) -> str:
    """As the kernel compares them: dashes are underscores."""
    return word.partition("=")[0].replace("-", "_")


def _leads(answers: Answers, probe: RealPath) -> str | None:
    return None if answers.absent(probe) else answers.text(probe)
