"""Programs of this machine: each is run to its end, within bounds that hold whatever it does.

What may be run, and from where, is decided by who calls: `targets/linux` and `nix`.
"""
