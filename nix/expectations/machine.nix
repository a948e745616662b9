# Boot, kernel settings and modules, files below /etc, programs that run with others' rights.
{ config, lib }:
let
  inherit (import ./sorted.nix lib) strings byName;
  inherit (config) boot;
  boots = boot.kernel.enable && !boot.isContainer;
  loader = config.system.boot.loader;

  # chmod(1) from a mode of 0000, as the wrappers are made: each clause adds, sets or takes away.
  rights = {
    r = 4;
    w = 2;
    x = 1;
  };
  clause =
    mode: text:
    let
      parts = builtins.match "([ugoa]*)([-+=])([rwx]*)" text;
      who = lib.stringToCharacters (builtins.elemAt parts 0);
      op = builtins.elemAt parts 1;
      named = lib.stringToCharacters (builtins.elemAt parts 2);
      applied = old: {
        "+" = lib.unique (old ++ named);
        "-" = lib.subtractLists named old;
        "=" = named;
      };
      isMeant = class: who == [ ] || builtins.elem "a" who || builtins.elem class who;
    in
    if parts == null then
      throw "security.wrappers: permissions ${text} are not understood; write them as u+rx,g+x,o+x"
    else
      builtins.mapAttrs (class: old: if isMeant class then (applied old).${op} else old) mode;
  symbolic =
    permissions:
    let
      none = {
        u = [ ];
        g = [ ];
        o = [ ];
      };
      mode = builtins.foldl' clause none (lib.splitString "," permissions);
      digit = class: toString (builtins.foldl' (sum: r: sum + rights.${r}) 0 (lib.unique mode.${class}));
    in
    "${digit "u"}${digit "g"}${digit "o"}";
  modeOf =
    wrapper:
    let
      given = wrapper.permissions;
      special = (if wrapper.setuid then 4 else 0) + (if wrapper.setgid then 2 else 0);
      isOctal = builtins.match "[0-7]{3,4}" given != null;
      octal = builtins.substring (builtins.stringLength given - 3) 3 given;
    in
    "${toString special}${if isOctal then octal else symbolic given}";

  value =
    x:
    if x == true then
      "1"
    else if x == false then
      "0"
    else
      toString x;

  exists = unit: config.systemd.services ? ${unit} && config.systemd.services.${unit}.enable;
in
{
  boot = {
    kernel = if boots then "${boot.kernelPackages.kernel}/${loader.kernelFile}" else null;
    initrd =
      if boots && boot.initrd.enable then
        "${config.system.build.initialRamdisk}/${loader.initrdFile}"
      else
        null;
    modules = if boots then "${config.system.modulesTree}" else null;
    # In order: a later word wins.
    params = map toString boot.kernelParams;
  };

  sysctl = builtins.mapAttrs (_: value) (lib.filterAttrs (_: v: v != null) boot.kernel.sysctl);

  wrappers = byName (
    map (wrapper: {
      # The file is called by its program, which need not be the name of the option.
      name = wrapper.program;
      inherit (wrapper) owner group capabilities;
      mode = modeOf wrapper;
    }) (
      builtins.filter (w: (config.security.enableWrappers or true) && w.enable or true) (
        builtins.attrValues config.security.wrappers
      )
    )
  );

  modules = {
    load = strings boot.kernelModules;
    deny = strings boot.blacklistedKernelModules;
  };

  etc = lib.mapAttrs' (
    _: entry:
    lib.nameValuePair entry.target (
      # An overlay has no /etc/static: each link in it names its file.
      if entry.mode == "symlink" && !config.system.etc.overlay.enable then
        "link"
      # Activation takes the target over and goes by no other link; /etc/localtime is one of these.
      else if entry.mode == "symlink" || entry.mode == "direct-symlink" then
        "-> ${entry.source}"
      else
        "file"
    )
  ) (lib.filterAttrs (_: e: e.enable) config.environment.etc);

  # Units whose restart makes the machine take over again what is declared, without a new system.
  reapply = map (unit: "${unit}.service") (
    strings (
      # A time daemon starts anew for sources that were added to the running one.
      builtins.filter exists [
        "chronyd"
        "firewall"
        "nftables"
        "ntpd"
        "ntpd-rs"
        "openntpd"
        "suid-sgid-wrappers"
        "systemd-modules-load"
        "systemd-sysctl"
        "systemd-timesyncd"
        "systemd-tmpfiles-resetup"
      ]
    )
  );
}
