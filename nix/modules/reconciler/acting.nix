# What a unit of ours has that carries steps out as root: it must be able to do what an activation does,
# so what it may do is decided by the operations that there are, not by the unit. Whoever only looks
# has all of this, and more: hardening.nix.
{
  UMask = "0022";
  NoNewPrivileges = true;
  LockPersonality = true;
  KeyringMode = "private";
  ProtectHostname = true;
  ProtectKernelLogs = true;
  RestrictRealtime = true;
  RestrictSUIDSGID = true;
  RestrictAddressFamilies = [
    "AF_UNIX"
    "AF_INET"
    "AF_INET6"
    "AF_NETLINK"
  ];
  SystemCallArchitectures = "native";
}
