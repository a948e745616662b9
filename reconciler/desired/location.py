"""Where a fleet repository is fetched from: see `reconciler.transport.location`."""

from reconciler.transport.location import Access

__all__ = ["Access"]
