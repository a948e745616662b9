# WireGuard: the one way from the MSP to the machine. The machine calls; nothing is opened for it.
# Controls: 45 CFR 164.312(e)(1), (2)(ii).
{
  config,
  lib,
  options,
  ...
}:
let
  cfg = config.reconciler.baseline.wireguard;
  title = "The MSP comes in through WireGuard alone";
  # Release 25.05 and later leave tunnels to networkd where it runs the network; it makes no keys.
  hasBackends = options.networking.wireguard ? useNetworkd;
  key = lib.types.strMatching "[A-Za-z0-9+/]{43}=";
in
{
  imports = [ ./common.nix ];

  options.reconciler.baseline.wireguard = {
    enable = import ./switch.nix { inherit config lib; } title;
    interface = lib.mkOption {
      type = lib.types.strMatching "[a-z][a-z0-9-]{0,14}";
      default = "wg-msp";
      description = "Name of the interface.";
    };
    addresses = lib.mkOption {
      type = lib.types.listOf (lib.types.strMatching "[0-9a-fA-F.:]+/[0-9]{1,3}");
      default = [ ];
      example = [ "198.51.100.7/32" ];
      description = "Addresses of this machine in the tunnel.";
    };
    privateKeyFile = lib.mkOption {
      type = lib.types.strMatching "/.*";
      default = "/var/lib/wireguard/private.key";
      description = "Private key. It is made on the machine when it is not there, and never leaves it.";
    };
    port = lib.mkOption {
      type = lib.types.port;
      default = 51820;
      description = "Local port: fixed, so that its socket is a declared one. The firewall stays shut.";
    };
    peer = {
      publicKey = lib.mkOption {
        type = lib.types.nullOr key;
        default = null;
        description = "Public key of the MSP's end.";
      };
      endpoint = lib.mkOption {
        type = lib.types.nullOr (lib.types.strMatching "[^][ :]+:[0-9]+|[[][0-9a-fA-F:]+]:[0-9]+");
        default = null;
        example = "vpn.example.net:51820";
        description = "Where the machine calls.";
      };
      allowedIPs = lib.mkOption {
        type = lib.types.listOf (lib.types.strMatching "[0-9a-fA-F.:]+/[0-9]{1,3}");
        default = [ ];
        example = [ "198.51.100.0/28" ];
        description = "Addresses of the MSP: few, and never everything.";
      };
    };
  };

  config = lib.mkMerge [
    {
      reconciler.baseline.safeguards.wireguard = {
        enabled = cfg.enable;
        inherit title;
        controls = [
          "hipaa:164.312(e)(1)"
          "hipaa:164.312(e)(2)(ii)"
          "nist-800-53r5:AC-17"
          "nist-800-53r5:SC-8(1)"
        ];
        checks = [ "LNX-NET-002" ];
      };
    }
    (lib.mkIf cfg.enable {
      networking.wireguard = {
        interfaces.${cfg.interface} = {
          ips = cfg.addresses;
          inherit (cfg) privateKeyFile;
          generatePrivateKeyFile = true;
          listenPort = cfg.port;
          peers = lib.optional (cfg.peer.publicKey != null) {
            inherit (cfg.peer) publicKey endpoint allowedIPs;
            # Keeps the way back open through the clinic's router.
            persistentKeepalive = 25;
          };
        };
      }
      // lib.optionalAttrs hasBackends { useNetworkd = lib.mkDefault false; };
      assertions = [
        {
          assertion = cfg.addresses != [ ];
          message = "reconciler.baseline.wireguard: this machine has no address in the tunnel (reconciler.baseline.wireguard.addresses).";
        }
        {
          assertion = cfg.peer.publicKey != null && cfg.peer.endpoint != null && cfg.peer.allowedIPs != [ ];
          message = "reconciler.baseline.wireguard: the MSP's end is not declared. Set reconciler.baseline.wireguard.peer.publicKey, .endpoint and .allowedIPs.";
        }
        {
          assertion = lib.intersectLists [
            "0.0.0.0/0"
            "::/0"
          ] cfg.peer.allowedIPs == [ ];
          message = "reconciler.baseline.wireguard: the tunnel takes all traffic of the clinic (reconciler.baseline.wireguard.peer.allowedIPs). Name the addresses of the MSP.";
        }
      ];
    })
  ];
}
