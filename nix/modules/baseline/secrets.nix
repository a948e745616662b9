# Secrets: on the machine, never in the Nix store, where every user and every cache reads them.
# Controls: 45 CFR 164.312(a)(1), 164.312(a)(2)(iv).
#
# Works on paths alone, so that sops-nix and agenix both fit and neither is needed here. What they
# declare is looked at where their options exist.
{
  config,
  lib,
  options,
  ...
}:
let
  cfg = config.reconciler.baseline.secrets;
  title = "No secret is in the Nix store";
  find = import ./secrets/find.nix { inherit config lib options; };
  complaint = found: {
    assertion = builtins.elem found.option cfg.exempt;
    message = "reconciler.baseline.secrets: ${found.option} ${found.what}. ${found.remedy}";
  };
in
{
  imports = [ ./common.nix ];

  options.reconciler.baseline.secrets = {
    enable = import ./switch.nix { inherit config lib; } title;
    provider = lib.mkOption {
      type = lib.types.enum [
        "sops-nix"
        "agenix"
        "files"
      ];
      default =
        if options ? sops then
          "sops-nix"
        else if options ? age then
          "agenix"
        else
          "files";
      defaultText = lib.literalExpression "the one whose options exist, else \"files\"";
      description = "What puts secrets onto the machine; files: somebody does by hand.";
    };
    directory = lib.mkOption {
      type = lib.types.strMatching "/.*";
      default =
        {
          sops-nix = "/run/secrets";
          agenix = "/run/agenix";
          files = "/var/lib/secrets";
        }
        .${cfg.provider};
      defaultText = lib.literalExpression "/run/secrets, /run/agenix or /var/lib/secrets";
      description = "Where other safeguards look for theirs by default.";
    };
    exempt = lib.mkOption {
      type = lib.types.listOf lib.types.nonEmptyStr;
      default = [ ];
      example = [ "systemd.services.demo.environment.API_TOKEN" ];
      description = "Options that only look as if they held a secret, as the message names them.";
    };
  };

  config = lib.mkMerge [
    {
      reconciler.baseline.safeguards.secrets = {
        enabled = cfg.enable;
        inherit title;
        controls = [
          "hipaa:164.312(a)(1)"
          "hipaa:164.312(a)(2)(iv)"
          "nist-800-53r5:AC-3"
          "nist-800-53r5:IA-5"
          "nist-800-53r5:SC-28"
        ];
        checks = [ "LNX-FILE-001" ];
      };
    }
    (lib.mkIf cfg.enable {
      assertions = map complaint find ++ [
        {
          assertion = !(lib.hasPrefix builtins.storeDir cfg.directory);
          message = "reconciler.baseline.secrets: reconciler.baseline.secrets.directory is in the Nix store, where every user reads it.";
        }
      ];
      # Made before anything is put there: else the first tool makes it with its own mode.
      systemd.tmpfiles.rules = lib.optional (
        cfg.provider == "files" && !(lib.hasPrefix builtins.storeDir cfg.directory)
      ) "d ${cfg.directory} 0700 root root -";
    })
  ];
}
