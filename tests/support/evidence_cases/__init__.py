"""Every evidence vector, by name."""

from tests.support.evidence_cases import forms, keys, logs, order, quiet, witnesses
from tests.support.evidence_cases.case import CASES, History

__all__ = ["CASES", "History", "forms", "keys", "logs", "order", "quiet", "witnesses"]
