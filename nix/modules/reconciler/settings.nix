# Options to /etc/reconciler/reconciler.yaml.
{ config, lib, ... }:

let
  inherit (lib) mkIf mkOption types;
  cfg = config.services.reconciler;
  yaml = import ../../settings.nix { inherit lib; };

  # Fields that name a file and know no credentials: systemd's own place of the credential is a file.
  asFile =
    secret:
    if secret != null && lib.hasPrefix "credential:" secret then
      "/run/credentials/reconciler.service/${lib.removePrefix "credential:" secret}"
    else
      secret;

  gitServer =
    server:
    server
    // {
      sshKey = asFile server.sshKey;
      tokenFile = asFile server.tokenFile;
    };

  evidence = cfg.evidence // {
    remote = if cfg.evidence.remote == null then null else gitServer cfg.evidence.remote;
    copies =
      if cfg.evidence.copies == null then
        null
      else
        cfg.evidence.copies
        // {
          accessKeyFile = asFile cfg.evidence.copies.accessKeyFile;
          secretKeyFile = asFile cfg.evidence.copies.secretKeyFile;
        };
  };

  # Here null is a value: the fleet has no such branch. Left out it would be the default one.
  withNull =
    made:
    made
    // {
      fleet =
        made.fleet // lib.optionalAttrs (cfg.fleet.attestations == null) { attestations = null; };
    };
in
{
  options.services.reconciler.settings = mkOption {
    type = types.attrs;
    readOnly = true;
    description = "What the settings file says, by the names of its fields.";
  };

  config = {
    services.reconciler.settings = withNull (
      yaml.fields {
        inherit (cfg)
          client
          host
          state
          intervalS
          jitterS
          probeDeadlineS
          notify
          advise
          system
          ;
        inherit evidence;
        fleet = gitServer cfg.fleet;
        helper = if cfg.helper.enable then "/run/reconciler/helper.sock" else null;
      }
    );

    environment.etc = mkIf cfg.enable {
      "reconciler/reconciler.yaml".text = ''
        # Made by services.reconciler of the NixOS configuration; change it there.
        ${yaml.render cfg.settings}'';
    };
  };
}
