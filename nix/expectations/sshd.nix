# The SSH server, as `sshd -T` will print it: lower-case keywords, plain words.
{ config, lib }:
let
  cfg = config.services.openssh;
  text =
    name: value:
    if builtins.isBool value then
      (if value then "yes" else "no")
    else if builtins.isList value then
      builtins.concatStringsSep (if builtins.elem name spaced then " " else ",") (map toString value)
    else
      seconds name (oldName (toString value));
  # sshd prints the old name of this value, and times as seconds.
  oldName = value: if value == "prohibit-password" then "without-password" else value;
  times = {
    s = 1;
    m = 60;
    h = 3600;
    d = 86400;
  };
  seconds =
    name: value:
    let
      parts = builtins.match "([0-9]+)([smhd])" value;
    in
    if builtins.elem name timed && parts != null then
      toString (lib.toInt (builtins.elemAt parts 0) * times.${builtins.elemAt parts 1})
    else
      value;
  spaced = [
    "acceptenv"
    "allowgroups"
    "allowusers"
    "authenticationmethods"
    "authorizedkeysfile"
    "denygroups"
    "denyusers"
  ];
  timed = [
    "clientaliveinterval"
    "logingracetime"
  ];
  set = lib.filterAttrs (_: value: value != null) (
    {
      AuthorizedKeysFile = cfg.authorizedKeysFiles;
    }
    // cfg.settings
  );
in
{
  enabled = cfg.enable;
  ports = lib.optionals cfg.enable (lib.unique (builtins.sort builtins.lessThan cfg.ports));
  settings = lib.optionalAttrs cfg.enable (
    lib.mapAttrs' (
      name: value: lib.nameValuePair (lib.toLower name) (text (lib.toLower name) value)
    ) set
  );
}
