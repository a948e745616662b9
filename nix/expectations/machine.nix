# Boot, kernel settings and modules, files below /etc, programs that run with others' rights.
{ config, lib }:
let
  inherit (import ./sorted.nix lib) strings byName;
  inherit (config) boot;
  boots = boot.kernel.enable && !boot.isContainer;
  loader = config.system.boot.loader;

  # Of chmod(1): what each clause gives, added to nothing, as the wrappers are made.
  bits = {
    u = 64;
    g = 8;
    o = 1;
  };
  rights = {
    r = 4;
    w = 2;
    x = 1;
  };
  clause =
    text:
    let
      parts = builtins.match "([ugoa]*)[+=]([rwx]*)" text;
      who = builtins.elemAt parts 0;
      classes = if who == "" || lib.hasInfix "a" who then [ "u" "g" "o" ] else lib.unique (lib.stringToCharacters who);
      given = lib.unique (lib.stringToCharacters (builtins.elemAt parts 1));
    in
    if parts == null then
      throw "security.wrappers: permissions ${text} are not understood; write them as u+rx,g+x,o+x"
    else
      lib.genAttrs classes (_: given);
  modeOf =
    wrapper:
    let
      clauses = map clause (lib.splitString "," wrapper.permissions);
      of = class: lib.unique (lib.concatMap (c: c.${class} or [ ]) clauses);
      sum = builtins.foldl' builtins.add 0;
      digit = class: sum (map (r: rights.${r}) (of class));
      special = (if wrapper.setuid then 4 else 0) + (if wrapper.setgid then 2 else 0);
    in
    if builtins.match "[0-7]{3,4}" wrapper.permissions != null then
      "${toString special}${
        builtins.substring (builtins.stringLength wrapper.permissions - 3) 3 wrapper.permissions
      }"
    else
      "${toString special}${toString (digit "u")}${toString (digit "g")}${toString (digit "o")}";

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
    lib.mapAttrsToList (name: wrapper: {
      inherit name;
      inherit (wrapper) owner group capabilities;
      mode = modeOf wrapper;
    }) (lib.filterAttrs (_: w: w.enable or true) config.security.wrappers)
  );

  modules = {
    load = strings boot.kernelModules;
    deny = strings boot.blacklistedKernelModules;
  };

  etc = lib.mapAttrs' (
    _: entry:
    lib.nameValuePair entry.target (
      if entry.mode == "symlink" || entry.mode == "direct-symlink" then "link" else "file"
    )
  ) (lib.filterAttrs (_: e: e.enable) config.environment.etc);

  # Units whose restart makes the machine take over again what is declared, without a new system.
  reapply = map (unit: "${unit}.service") (
    strings (
      builtins.filter exists [
        "firewall"
        "nftables"
        "suid-sgid-wrappers"
        "systemd-modules-load"
        "systemd-sysctl"
        "systemd-tmpfiles-resetup"
      ]
    )
  );
}
