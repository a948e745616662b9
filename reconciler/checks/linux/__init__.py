"""What can be seen on a systemd Linux machine, NixOS or other."""
