"""What can be seen on NixOS only: its systems, its store, what its configuration declares."""
