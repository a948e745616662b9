"""Which desired state is in force, how new it is known to be, and what holds it."""
