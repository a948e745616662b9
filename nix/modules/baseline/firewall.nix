# Firewall: nftables that refuses what is not declared.
# Controls: 45 CFR 164.312(a)(1), 164.312(e)(1).
{ config, lib, ... }:
let
  cfg = config.reconciler.baseline.firewall;
  title = "The firewall refuses what is not declared";
in
{
  imports = [ ./common.nix ];

  options.reconciler.baseline.firewall = {
    enable = import ./switch.nix { inherit config lib; } title;
    ping = lib.mkOption {
      type = lib.types.bool;
      default = true;
      description = "Whether the machine answers a ping.";
    };
    logRefused = lib.mkOption {
      type = lib.types.bool;
      default = true;
      description = "Whether refused connections are written to the journal.";
    };
    mayOpen = lib.mkOption {
      type = lib.types.listOf lib.types.port;
      default = [ ];
      example = [ 443 ];
      description = "Ports that the configuration may open on every interface; an appliance needs none.";
    };
  };

  config = lib.mkMerge [
    {
      reconciler.baseline.safeguards.firewall = {
        enabled = cfg.enable;
        inherit title;
        controls = [
          "hipaa:164.312(a)(1)"
          "hipaa:164.312(e)(1)"
          "nist-800-53r5:SC-7"
          "nist-800-53r5:SC-7(5)"
        ];
        checks = [
          "LNX-NET-001"
          "LNX-NET-002"
        ];
      };
    }
    (lib.mkIf cfg.enable {
      networking.nftables.enable = true;
      networking.firewall = {
        enable = true;
        allowPing = cfg.ping;
        logRefusedConnections = cfg.logRefused;
      };
      assertions =
        let
          firewall = config.networking.firewall;
          open = firewall.allowedTCPPorts ++ firewall.allowedUDPPorts;
          stray = lib.subtractLists cfg.mayOpen open;
          ranges = firewall.allowedTCPPortRanges ++ firewall.allowedUDPPortRanges;
        in
        [
          {
            assertion = stray == [ ];
            message = "reconciler.baseline.firewall: open to every network: ${
              builtins.concatStringsSep ", " (map toString stray)
            }. Open them on one interface (networking.firewall.interfaces.<name>), or list them in reconciler.baseline.firewall.mayOpen.";
          }
          {
            assertion = ranges == [ ];
            message = "reconciler.baseline.firewall: whole ranges of ports are open to every network (networking.firewall.allowedTCPPortRanges, allowedUDPPortRanges). Open them on one interface.";
          }
          {
            assertion = firewall.trustedInterfaces == [ "lo" ] || firewall.trustedInterfaces == [ ];
            message = "reconciler.baseline.firewall: networking.firewall.trustedInterfaces lets everything in from ${
              builtins.concatStringsSep ", " (lib.subtractLists [ "lo" ] firewall.trustedInterfaces)
            }. Open single ports instead.";
          }
        ];
    })
  ];
}
