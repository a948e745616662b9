# What listens, and what the firewall lets in.
{
  config,
  lib,
  # Whether something that is reached at boot starts a unit (units.nix).
  starts,
}:
let
  inherit (import ./sorted.nix lib) strings entries;
  inherit (config.networking) firewall;
  sshd = config.services.openssh;
  ours = lib.attrByPath [ "reconciler" "expectations" ] { } config;

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

  # An address as the kernel's tables have it; null (any) for a name, which no table has.
  literal =
    text:
    let
      bare = lib.removePrefix "[" (lib.removeSuffix "]" text);
      address = lib.toLower (builtins.head (lib.splitString "%" bare));
      isAddress = builtins.match "[0-9.]+|[0-9a-f:.]*:[0-9a-f:.]*" address != null;
    in
    if isAddress && address != "0.0.0.0" && address != "::" then address else null;

  sshdUnit = if sshd.startWhenNeeded then "sshd.socket" else "sshd.service";
  sshdSocket = address: port: {
    protocol = "tcp";
    inherit port address;
    unit = sshdUnit;
  };
  # ListenAddress(5) takes the port in the address, too; an address of version 6 is then in brackets.
  sshdListens =
    { addr, port, ... }:
    let
      parts = builtins.match "([[].*[]]|[^]:[]+):([0-9]+)" addr;
      ports = if port == null then sshd.ports else [ port ];
    in
    if parts == null then
      map (sshdSocket (literal addr)) ports
    else
      [ (sshdSocket (literal (builtins.head parts)) (lib.toInt (builtins.elemAt parts 1))) ];
  sshdSockets =
    if sshd.listenAddresses == [ ] then
      map (sshdSocket null) sshd.ports
    else
      lib.concatMap sshdListens sshd.listenAddresses;

  # Of a kernel interface: no process, so no unit.
  tunnel =
    port:
    lib.optional (port != null && builtins.match "[0-9]+" (toString port) != null) {
      protocol = "udp";
      port = lib.toInt (toString port);
      address = null;
      unit = null;
    };
  ofNetworkd = lib.optionals config.systemd.network.enable (
    builtins.attrValues (lib.filterAttrs (_: device: device.enable) config.systemd.network.netdevs)
  );
  quick = lib.filterAttrs (_: interface: interface.autostart) config.networking.wg-quick.interfaces;
  tunnels =
    lib.concatMap (interface: tunnel interface.listenPort) (
      builtins.attrValues config.networking.wireguard.interfaces ++ builtins.attrValues quick
    )
    ++ lib.concatMap (device: tunnel (device.wireguardConfig.ListenPort or null)) ofNetworkd;

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
      parts = builtins.match "(([[][0-9a-fA-F:.]+]|[0-9.]+):)?([0-9]+)" (toString text);
      address = builtins.elemAt parts 1;
    in
    lib.optional (parts != null) {
      inherit protocol unit;
      port = lib.toInt (builtins.elemAt parts 2);
      address = if address == null then null else literal address;
    };
  ofUnits = lib.concatMap (
    name:
    let
      socket = config.systemd.sockets.${name};
      unit = "${name}.socket";
      settings = socket.socketConfig;
    in
    # Of one that nothing starts, and of a template, nothing listens.
    lib.optionals (socket.enable && starts unit) (
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
        opened firewall
        ++ lib.concatMap opened (builtins.attrValues firewall.interfaces)
        ++ answers
        ++ ours.open or [ ]
      )
    );
  };
  sockets = entries (
    lib.optionals sshd.enable sshdSockets
    ++ tunnels
    ++ chrony
    ++ ofUnits
    ++ ours.sockets or [ ]
  );
}
