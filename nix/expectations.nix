# What a NixOS configuration declares of the machine that will run it, as one document.
#
# `reconciler` compares it with the live machine at every tick (checks LNX-EXP-*), so drift checks
# are declared by declaring the system. The members are those that reconciler/model/expected.py
# reads, and no others.
#
# Rule 1. What a configuration does not say is left out or null, never guessed.
# Rule 2. No secret gets in: options that could hold one are not read; of a password, only that
#         there is one.
# Rule 3. Every list is sorted and free of twins, so that one configuration has one document.
{
  config,
  lib,
  # The system that carries the document. It cannot know its own path while it is evaluated; the
  # builder puts it in (nix/modules/expectations.nix).
  system ? "@system@",
}:
let
  part = file: import file { inherit config lib; };
  machine = part ./expectations/machine.nix;
  units = part ./expectations/units.nix;
  access = part ./expectations/access.nix;
  sshd = part ./expectations/sshd.nix;
  network = import ./expectations/network.nix {
    inherit config lib;
    inherit (units) starts;
  };
  storage = part ./expectations/storage.nix;
  services = part ./expectations/services.nix;
in
{
  format = "reconciler-expectations/1";
  inherit system;
  host = config.networking.hostName;
  inherit (config.system.nixos) release;
  revision = config.system.configurationRevision;
  inherit (machine)
    boot
    etc
    modules
    reapply
    sysctl
    wrappers
    ;
  units = {
    inherit (units)
      oneshot
      run
      sockets
      timers
      ;
  };
  inherit (access)
    groups
    keys
    pam
    users
    ;
  mutable_users = config.users.mutableUsers;
  inherit (network) firewall sockets;
  inherit (storage) luks mounts swap;
  inherit (services)
    backups
    certificates
    cron
    time
    ;
  inherit sshd;
}
