# What a machine that runs the declared host would answer with: files as the release writes them,
# settings as its daemons take them over. For the checks, which ask a machine.
{
  lib ? import ../../../nix/testing/lib,
  more ? [ ],
}:
let
  testing = import ../../../nix/testing { inherit lib; };
  inherit (testing.evalSystem { modules = [ ./host.nix ] ++ more; }) config;
  lines = settings: lib.concatLines (lib.mapAttrsToList (n: v: "${n}=${toString v}") settings);
  inherit (config.services) journald;
  sudo = config.security.sudo;
in
{
  document = config.reconciler.expectations.document;
  files = {
    "/etc/systemd/journald.conf" = "[Journal]\nStorage=${journald.storage}\n${journald.extraConfig}";
    "/etc/systemd/coredump.conf" = "[Coredump]\n${lines config.systemd.coredump.settings.Coredump}";
    "/etc/sudoers" = "root ALL=(ALL:ALL) SETENV: ALL\n%wheel ALL=(ALL:ALL) ${
      lib.optionalString (!sudo.wheelNeedsPassword) "NOPASSWD: "
    }SETENV: ALL\n${sudo.extraConfig}\n";
    "/proc/cmdline" = "init=/nix/store/x/init ${toString config.boot.kernelParams}\n";
    "/etc/security/faillock.conf" = config.environment.etc."security/faillock.conf".text or "";
  }
  // lib.mapAttrs' (name: service: lib.nameValuePair "/etc/pam.d/${name}" service.text) config.security.pam.services;
  idle = config.services.logind.settings.Login.StopIdleSessionSec or 0;
  root = config.users.users.root.hashedPassword;
  auditRules = config.security.audit.rules;
  inherit (config.security.audit) backlogLimit;
  bootEntries = config.boot.loader.systemd-boot.configurationLimit;
  chrony = {
    inherit (config.services.chrony) extraConfig;
    asksAtStart = config.services.chrony.initstepslew.enabled;
  };
  clamd = config.services.clamav.daemon.settings // {
    restart = config.systemd.services.clamav-daemon.serviceConfig.Restart or "no";
  };
  backups = builtins.mapAttrs (_: job: { inherit (job) repository passwordFile; }) config.services.restic.backups;
  upload = lib.filterAttrs (_: v: v != null) (removeAttrs journald.upload.settings.Upload [ "URL" ]);
}
