"""From findings to actions. Pure: the same findings and desired state give the same plan."""
