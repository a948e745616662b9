"""Frameworks that are no law yet, told by their id alone: reports see ids and no documents.

Without imports, because the auditor's small install reports, too.
"""

PROPOSED = "-proposed"
"""How the id of a proposed framework ends, so that whatever names one of its controls says so."""


def is_proposed(name: str) -> bool:
    """Whether a framework, or a control ``<framework>:<control>``, is of a proposed rule."""
    return name.partition(":")[0].endswith(PROPOSED)
