"""A real systemd machine to break and heal: its disk, its network, its process."""
