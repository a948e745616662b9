"""Where NixOS says which system runs, which one was booted, and which generations there are."""

CURRENT = "/run/current-system"
"""Link to the system that was activated last."""

BOOTED = "/run/booted-system"
"""Link to the system that this boot began with."""

PROFILE = "/nix/var/nix/profiles/system"
"""Link to the newest generation; boot loaders list the generations of no other profile."""


def generation_link(number: int) -> str:
    """Where a generation of the profile is linked."""
    return f"{PROFILE}-{number}-link"
