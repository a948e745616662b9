# systemd.*
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  names = mkOption {
    type = types.listOf types.str;
    default = [ ];
  };
  text = mkOption {
    type = types.str;
    default = "";
  };
  flag =
    default:
    mkOption {
      type = types.bool;
      inherit default;
    };
  section = mkOption {
    type = types.attrsOf types.unspecified;
    default = { };
  };
  common = {
    enable = flag true;
    description = text;
    documentation = names;
    after = names;
    aliases = names;
    before = names;
    bindsTo = names;
    conflicts = names;
    onFailure = names;
    partOf = names;
    requiredBy = names;
    requires = names;
    unitConfig = section;
    wantedBy = names;
    wants = names;
  };
  service =
    { config, ... }:
    {
      options = serviceOptions;
      config.serviceConfig = lib.mkIf (config.script != "") { ExecStart = "/bin/script"; };
    };
  serviceOptions = common // {
    environment = mkOption {
      type = types.attrsOf (
        types.nullOr (
          types.oneOf [
            types.str
            types.path
            types.package
          ]
        )
      );
      default = { };
    };
    path = mkOption {
      type = types.listOf (
        types.oneOf [
          types.package
          types.str
        ]
      );
      default = [ ];
    };
    preStart = mkOption {
      type = types.lines;
      default = "";
    };
    reloadIfChanged = flag false;
    restartIfChanged = flag true;
    restartTriggers = mkOption {
      type = types.listOf types.unspecified;
      default = [ ];
    };
    script = mkOption {
      type = types.lines;
      default = "";
    };
    serviceConfig = section;
    startAt = mkOption {
      type = types.either types.str (types.listOf types.str);
      default = [ ];
    };
    startLimitBurst = mkOption {
      type = types.nullOr types.int;
      default = null;
    };
    startLimitIntervalSec = mkOption {
      type = types.nullOr types.int;
      default = null;
    };
    stopIfChanged = flag true;
  };
  socket.options = common // {
    listenStreams = names;
    listenDatagrams = names;
    socketConfig = section;
  };
  timer.options = common // {
    timerConfig = section;
  };
  device.options = {
    enable = flag true;
    netdevConfig = section;
    wireguardConfig = section;
  };
  path.options = common // {
    pathConfig = section;
  };
  of =
    module:
    mkOption {
      type = types.attrsOf (types.submodule module);
      default = { };
    };
in
{
  options.systemd = {
    package = lib.mkPackageOption pkgs "systemd" { };
    defaultUnit = mkOption {
      type = types.str;
      default = "multi-user.target";
    };
    services = of service;
    sockets = of socket;
    timers = of timer;
    paths = of path;
    targets = of { options = common; };
    network = {
      enable = flag config.networking.useNetworkd;
      netdevs = of device;
    };
    tmpfiles.rules = mkOption {
      type = types.listOf types.str;
      default = [ ];
    };
    coredump = {
      enable = flag true;
      settings.Coredump = section;
    };
  };
}
