# networking.*
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  ports = mkOption {
    type = types.listOf types.port;
    default = [ ];
  };
  ranges = mkOption {
    type = types.listOf (types.attrsOf types.port);
    default = [ ];
  };
  opened = {
    allowedTCPPorts = ports;
    allowedUDPPorts = ports;
    allowedTCPPortRanges = ranges;
    allowedUDPPortRanges = ranges;
  };
  text = mkOption {
    type = types.nullOr types.str;
    default = null;
  };
  peer.options = {
    publicKey = mkOption { type = types.singleLineStr; };
    presharedKey = text;
    presharedKeyFile = text;
    allowedIPs = mkOption { type = types.listOf types.str; };
    endpoint = text;
    persistentKeepalive = mkOption {
      type = types.nullOr types.int;
      default = null;
    };
  };
  port = mkOption {
    type = types.nullOr types.int;
    default = null;
  };
  quick.options = {
    autostart = mkOption {
      type = types.bool;
      default = true;
    };
    listenPort = port;
    privateKey = text;
    privateKeyFile = text;
    peers = mkOption {
      type = types.listOf (types.submodule peer);
      default = [ ];
    };
  };
  wireguard.options = {
    ips = mkOption {
      type = types.listOf types.str;
      default = [ ];
    };
    privateKey = text;
    privateKeyFile = text;
    generatePrivateKeyFile = mkOption {
      type = types.bool;
      default = false;
    };
    listenPort = port;
    peers = mkOption {
      type = types.listOf (types.submodule peer);
      default = [ ];
    };
  };
in
{
  options.networking = {
    hostName = mkOption {
      type = types.strMatching "^$|^[[:alnum:]]([[:alnum:]_-]{0,61}[[:alnum:]])?$";
      default = "nixos";
    };
    useNetworkd = mkOption {
      type = types.bool;
      default = false;
    };
    enableIPv6 = mkOption {
      type = types.bool;
      default = true;
    };
    useDHCP = mkOption {
      type = types.bool;
      default = true;
    };
    timeServers = mkOption {
      type = types.listOf types.str;
      default = [
        "0.nixos.pool.ntp.org"
        "1.nixos.pool.ntp.org"
        "2.nixos.pool.ntp.org"
        "3.nixos.pool.ntp.org"
      ];
    };
    nftables.enable = mkOption {
      type = types.bool;
      default = false;
    };
    firewall = opened // {
      enable = mkOption {
        type = types.bool;
        default = true;
      };
      allowPing = mkOption {
        type = types.bool;
        default = true;
      };
      logRefusedConnections = mkOption {
        type = types.bool;
        default = true;
      };
      trustedInterfaces = mkOption {
        type = types.listOf types.str;
        default = [ ];
      };
      interfaces = mkOption {
        type = types.attrsOf (types.submodule { options = opened; });
        default = { };
      };
    };
    wireless.networks = mkOption {
      type = types.attrsOf (
        types.submodule {
          options.psk = text;
          options.pskRaw = text;
        }
      );
      default = { };
    };
    wg-quick.interfaces = mkOption {
      type = types.attrsOf (types.submodule quick);
      default = { };
    };
    wireguard = {
      # Since release 25.05.
      useNetworkd = mkOption {
        type = types.bool;
        default = config.networking.useNetworkd;
      };
      interfaces = mkOption {
        type = types.attrsOf (types.submodule wireguard);
        default = { };
      };
    };
  };
  config.networking.firewall.trustedInterfaces = [ "lo" ];
  config.assertions = lib.mapAttrsToList (name: interface: {
    assertion = !(config.networking.wireguard.useNetworkd && interface.generatePrivateKeyFile);
    message = "networking.wireguard.interfaces.${name}: networkd makes no private key.";
  }) config.networking.wireguard.interfaces;
}
