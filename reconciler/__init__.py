"""reconciler: trusted desired state, typed live state, guarded healing, provable evidence.

The command line is a client of this::

    from pathlib import Path
    from reconciler import load_settings, open_appliance, reconcile

    with open_appliance(load_settings(Path("var/reconciler.yaml"))) as appliance:
        report = reconcile(appliance)
    for finding in report.findings:
        print(finding.status, finding.rule, dict(finding.observed))
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from reconciler.version import __version__

if TYPE_CHECKING:
    from reconciler.engine.appliance import open_appliance
    from reconciler.engine.run import reconcile
    from reconciler.engine.scaffold.make import scaffold
    from reconciler.engine.session import Options
    from reconciler.engine.settings import load_settings
    from reconciler.errors import ExitCode, ReconcilerError
    from reconciler.ledger.verify import verify
    from reconciler.model.finding import Finding
    from reconciler.model.run import RunReport

_HOMES = {
    "ExitCode": "reconciler.errors",
    "Finding": "reconciler.model.finding",
    "Options": "reconciler.engine.session",
    "ReconcilerError": "reconciler.errors",
    "RunReport": "reconciler.model.run",
    "load_settings": "reconciler.engine.settings",
    "open_appliance": "reconciler.engine.appliance",
    "reconcile": "reconciler.engine.run",
    "scaffold": "reconciler.engine.scaffold.make",
    "verify": "reconciler.ledger.verify",
}

__all__ = [
    "ExitCode",
    "Finding",
    "Options",
    "ReconcilerError",
    "RunReport",
    "__version__",
    "load_settings",
    "open_appliance",
    "reconcile",
    "scaffold",
    "verify",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: ``reconciler --help`` must not pay for all."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'reconciler' has no attribute {name!r}")
    return getattr(import_module(home), name)
