"""A new fleet repository, its keys and an enrolled appliance."""
