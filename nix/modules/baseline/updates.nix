# Patching: releases come through the reconciler, built and signed in CI, and are activated in the
# windows of the client. The machine builds nothing and upgrades nothing by itself.
# Controls: 45 CFR 164.308(a)(1)(ii)(B), 164.308(a)(5)(ii)(B), 164.312(c)(1).
{
  config,
  lib,
  options,
  ...
}:
let
  cfg = config.reconciler.baseline.updates;
  title = "Patches come as signed releases, in the client's windows";
  hasReconciler = options.services ? reconciler;
  own = import ../reconciler/types.nix { inherit lib; };

  # What is said beside the options that are set here, and counts for Nix all the same.
  beside =
    builtins.filter (name: (config.nix.settings.${name} or [ ]) != [ ]) [
      "extra-substituters"
      "extra-trusted-public-keys"
      "extra-trusted-substituters"
      "extra-trusted-users"
      "trusted-substituters"
    ]
    ++ builtins.filter (
      line: builtins.match " *(extra-)?(trusted-)?(substituters|public-keys|users) *=.*" line != null
    ) (lib.splitString "\n" config.nix.extraOptions);
in
{
  imports = [ ./common.nix ];

  options.reconciler.baseline.updates = {
    enable = import ./switch.nix { inherit config lib; } title;
    # Windows are hosts/<client>/client.yaml's: a second list of them here could contradict it.
    lockFile = lib.mkOption {
      type = lib.types.nullOr lib.types.path;
      default = null;
      example = lib.literalExpression "./flake.lock";
      description = "The flake.lock that the system is built from: by it LNX-PATCH-001 knows how old the inputs are.";
    };
    caches = {
      urls = lib.mkOption {
        # services.reconciler.system.caches takes these over, and takes them all.
        type = lib.types.listOf (lib.types.strMatching "(https|ssh-ng|s3|file)://[!-~]+");
        default = [ ];
        description = "Caches that releases are fetched from.";
      };
      publicKeys = lib.mkOption {
        type = lib.types.listOf own.cacheKey;
        default = [ ];
        description = "Keys that sign what is in them. Nothing else enters the store.";
      };
    };
    keepGenerationsDays = lib.mkOption {
      type = lib.types.ints.between 14 365;
      default = 60;
      description = "Days for which earlier systems stay, so that there is one to go back to.";
    };
    collectAt = lib.mkOption {
      type = lib.types.nonEmptyStr;
      default = "Sun 03:30";
      description = "When space is made, as systemd.time(7) writes it.";
    };
  };

  config = lib.mkMerge [
    {
      reconciler.baseline.safeguards.updates = {
        enabled = cfg.enable;
        inherit title;
        controls = [
          "hipaa:164.308(a)(1)(ii)(B)"
          "hipaa:164.308(a)(5)(ii)(B)"
          "hipaa:164.312(c)(1)"
          "nist-800-53r5:SI-2"
          "nist-800-53r5:CM-14"
        ];
        checks = [ "LNX-PATCH-001" ];
      };
    }
    (lib.mkIf cfg.enable {
      nix = {
        settings = {
          require-sigs = true;
          sandbox = true;
          accept-flake-config = false;
          # Another trusted user is another root.
          trusted-users = lib.mkForce [ "root" ];
          allowed-users = lib.mkForce [
            "root"
            "@wheel"
          ];
          substituters = lib.mkForce cfg.caches.urls;
          trusted-public-keys = lib.mkForce cfg.caches.publicKeys;
        };
        gc = {
          automatic = true;
          dates = cfg.collectAt;
          options = "--delete-older-than ${toString cfg.keepGenerationsDays}d";
        };
      };
      # Each entry has a kernel and an initrd on the boot partition; a full one takes no release.
      boot.loader.systemd-boot.configurationLimit = lib.mkDefault 10;
      environment.etc = lib.optionalAttrs (cfg.lockFile != null) {
        "nixos/flake.lock".source = cfg.lockFile;
      };
      assertions = [
        {
          # It evaluates and builds what nobody has signed, takes the newest input, and can go back.
          assertion = !config.system.autoUpgrade.enable;
          message = "reconciler.baseline.updates: system.autoUpgrade.enable is on. It activates what nobody has signed; releases come through the reconciler. Switch it off.";
        }
        {
          assertion = beside == [ ];
          message = "reconciler.baseline.updates: other caches, keys or users than declared here would count: ${builtins.concatStringsSep ", " beside} (nix.settings, nix.extraOptions). Put caches and their keys into reconciler.baseline.updates.caches.";
        }
        {
          assertion = cfg.caches.urls != [ ] && cfg.caches.publicKeys != [ ];
          message = "reconciler.baseline.updates: no cache, or no key of one. Set reconciler.baseline.updates.caches.urls and .publicKeys: without them no release can arrive.";
        }
        {
          assertion = !hasReconciler || config.services.reconciler.enable;
          message = "reconciler.baseline.updates: services.reconciler.enable is off, so no release would ever arrive.";
        }
      ];
    })
  ];
}
