"""reconciler: trusted desired state, typed live state, guarded healing, provable evidence."""

__version__ = "0.1.0"
