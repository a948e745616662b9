# Time: chrony with several sources, which prove who they are (NTS).
# Controls: 45 CFR 164.312(b).
{ config, lib, ... }:
let
  cfg = config.reconciler.baseline.time;
  title = "The clock follows several sources";
in
{
  imports = [ ./common.nix ];

  options.reconciler.baseline.time = {
    enable = import ./switch.nix { inherit config lib; } title;
    sources = lib.mkOption {
      type = lib.types.listOf (lib.types.strMatching "[A-Za-z0-9.:-]+");
      default = [
        "time.cloudflare.com"
        "nts.netnod.se"
        "ptbtime1.ptb.de"
        "ntppool1.time.nl"
      ];
      description = "Names of the sources: three outvote one that is wrong, four outvote it with one away.";
    };
    nts = lib.mkOption {
      type = lib.types.bool;
      default = true;
      description = "Whether every source has to prove who it is (RFC 8915). Switch it off for sources in the clinic that cannot.";
    };
  };

  config = lib.mkMerge [
    {
      reconciler.baseline.safeguards.time = {
        enabled = cfg.enable;
        inherit title;
        controls = [
          "hipaa:164.312(b)"
          "nist-800-53r5:AU-8"
          "nist-800-53r5:SC-45"
          "nist-800-53r5:SC-45(1)"
        ];
        checks = [ "LNX-TIME-001" ];
      };
    }
    (lib.mkIf cfg.enable {
      services.chrony = {
        enable = true;
        servers = cfg.sources;
        enableNTS = cfg.nts;
        # chrony's question at start is plain NTP, and steps the clock by whatever it hears.
        initstepslew.enabled = false;
        # One liar alone does not move the clock; with NTS, none that does not prove itself counts.
        extraConfig = ''
          makestep 1.0 3
          minsources 2
        ''
        + lib.optionalString cfg.nts ''
          authselectmode require
        '';
      };
      assertions = [
        {
          assertion = builtins.length (lib.unique cfg.sources) >= 3;
          message = "reconciler.baseline.time: fewer than three sources (reconciler.baseline.time.sources): with two nobody knows which one is wrong.";
        }
      ];
    })
  ];
}
