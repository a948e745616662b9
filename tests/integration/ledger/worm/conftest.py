"""One SeaweedFS for all tests of the copies."""

from tests.support.seaweed import seaweed

__all__ = ["seaweed"]
