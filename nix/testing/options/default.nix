# The options of NixOS that our modules set or read: names, types and defaults are facts of the
# pinned release. A test compares them with the real tree wherever a checkout is there.
[
  ./boot.nix
  ./environment.nix
  ./networking.nix
  ./openssh.nix
  ./security.nix
  ./services.nix
  ./system.nix
  ./systemd.nix
  ./units.nix
  ./users.nix
]
