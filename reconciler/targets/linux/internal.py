"""What the engine itself knows: Internal."""

from reconciler.model.answer import Answer
from reconciler.model.probe import Internal
from reconciler.targets.linux.session import Session


def internal(probe: Internal, session: Session) -> Answer:
    """The engine's own answer."""
    return session.internal(probe.topic)
