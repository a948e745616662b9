# What a unit of ours has that only looks, whoever it runs as.
import ./acting.nix
// {
  UMask = "0077";
  MemoryDenyWriteExecute = true;
  ProtectClock = true;
  ProtectControlGroups = true;
  ProtectKernelModules = true;
  ProtectKernelTunables = true;
  RestrictNamespaces = true;
  SystemCallErrorNumber = "EPERM";
}
