"""What the tests' fleet declares about the guest; see `reconciler.testing.rehearsal.declared`."""

from reconciler.testing.rehearsal.declared import CLIENT, HOME, HOST, declaration

__all__ = ["CLIENT", "HOME", "HOST", "declaration"]
