# What listens, and what the firewall lets in.
{ config, lib }:
let
  inherit (import ./sorted.nix lib) strings entries;
  firewall = config.networking.firewall;
  sshd = config.services.openssh;
  wireguard = config.networking.wireguard.interfaces;

  range = protocol: r: "${protocol}/${toString r.from}-${toString r.to}";
  opened =
    set:
    map (p: "tcp/${toString p}") set.allowedTCPPorts
    ++ map (p: "udp/${toString p}") set.allowedUDPPorts
    ++ map (range "tcp") set.allowedTCPPortRanges
    ++ map (range "udp") set.allowedUDPPortRanges;

  # The release lets answers of DHCPv6 servers in, whatever the configuration says.
  answers = lib.optional (
    config.networking.nftables.enable || config.networking.enableIPv6
  ) "udp/546";

  sshdUnit = if sshd.startWhenNeeded then "sshd.socket" else "sshd.service";
  sshdSockets =
    if sshd.listenAddresses == [ ] then
      map (port: {
        protocol = "tcp";
        inherit port;
        address = null;
        unit = sshdUnit;
      }) sshd.ports
    else
      lib.concatMap (
        listen:
        map (port: {
          protocol = "tcp";
          inherit port;
          address = listen.addr;
          unit = sshdUnit;
        }) (if listen.port == null then sshd.ports else [ listen.port ])
      ) sshd.listenAddresses;

  # Of a kernel interface: no process, so no unit.
  tunnels = lib.concatMap (
    interface:
    lib.optional (interface.listenPort != null) {
      protocol = "udp";
      port = interface.listenPort;
      address = null;
      unit = null;
    }
  ) (builtins.attrValues wireguard);

  # chronyc asks over loopback; the port of NTP itself stays shut without `allow`.
  chrony = lib.optionals config.services.chrony.enable (
    map
      (address: {
        protocol = "udp";
        port = 323;
        inherit address;
        unit = "chronyd.service";
      })
      [
        "127.0.0.1"
        "::1"
      ]
  );

  # "22", "127.0.0.1:22", "[::1]:22"; paths and the rest are no sockets of the network.
  parse =
    protocol: unit: text:
    let
      parts = builtins.match "(([[][0-9a-fA-F:]+]|[0-9.]+):)?([0-9]+)" (toString text);
      address = builtins.elemAt parts 1;
      bare = lib.removePrefix "[" (lib.removeSuffix "]" address);
    in
    lib.optional (parts != null) {
      inherit protocol unit;
      port = lib.toInt (builtins.elemAt parts 2);
      address = if address == null || bare == "0.0.0.0" || bare == "::" then null else bare;
    };
  ofUnits = lib.concatMap (
    name:
    let
      socket = config.systemd.sockets.${name};
      unit = "${name}.socket";
      settings = socket.socketConfig;
    in
    lib.optionals socket.enable (
      lib.concatMap (parse "tcp" unit) (
        socket.listenStreams ++ lib.toList (settings.ListenStream or [ ])
      )
      ++ lib.concatMap (parse "udp" unit) (
        socket.listenDatagrams ++ lib.toList (settings.ListenDatagram or [ ])
      )
    )
  ) (builtins.attrNames config.systemd.sockets);
in
{
  firewall = {
    enabled = firewall.enable;
    backend = if config.networking.nftables.enable then "nftables" else "iptables";
    open = strings (
      lib.optionals firewall.enable (
        opened firewall ++ lib.concatMap opened (builtins.attrValues firewall.interfaces) ++ answers
      )
    );
  };
  sockets = entries (
    lib.optionals sshd.enable sshdSockets
    ++ tunnels
    ++ chrony
    ++ ofUnits
    ++ lib.attrByPath [ "reconciler" "expectations" "sockets" ] [ ] config
  );
}
