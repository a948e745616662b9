# The SSH server, as `sshd -T` will print it: lower-case keywords, plain words.
#
# Rule: what sshd prints in a form that only it can tell (a list of algorithms that is added to, or
#       taken from, its own; half of a setting of several parts) is left out, not guessed.
{ config, lib }:
let
  cfg = config.services.openssh;
  isOne = builtins.elem;
  text =
    keyword: value:
    if builtins.isBool value then
      (if value then "yes" else "no")
    else if builtins.isList value then
      builtins.concatStringsSep (if isOne keyword spaced then " " else ",") (map toString value)
    else
      toString value;
  spaced = [
    "acceptenv"
    "allowgroups"
    "allowusers"
    "authenticationmethods"
    "authorizedkeysfile"
    "denygroups"
    "denyusers"
  ];

  # Of two names for one keyword sshd prints this one.
  names = {
    challengeresponseauthentication = "kbdinteractiveauthentication";
    hostbasedacceptedkeytypes = "hostbasedacceptedalgorithms";
    pubkeyacceptedkeytypes = "pubkeyacceptedalgorithms";
  };
  # The same for values, whatever the keyword, and of some keywords alone.
  words = builtins.listToAttrs [
    {
      name = "prohibit-password";
      value = "without-password";
    }
  ];
  wordsOf = {
    allowstreamlocalforwarding.all = "yes";
    allowtcpforwarding.all = "yes";
    compression.delayed = "yes";
  };

  # "1h30m" in seconds; null where it is no time.
  times = {
    s = 1;
    m = 60;
    h = 3600;
    d = 86400;
    w = 604800;
  };
  part =
    text:
    let
      parts = builtins.match "0*([0-9]+)([smhdw]?)" text;
    in
    lib.toInt (builtins.head parts) * times.${builtins.elemAt parts 1} or 1;
  seconds =
    text:
    if builtins.match "([0-9]+[smhdw]?)+" text == null then
      null
    else
      builtins.foldl' (sum: p: if builtins.isList p then sum + part (builtins.head p) else sum) 0 (
        builtins.split "([0-9]+[smhdw]?)" text
      );
  timed = [
    "clientaliveinterval"
    "logingracetime"
    "unusedconnectiontimeout"
  ];
  inSeconds =
    value:
    let
      found = seconds (lib.toLower value);
    in
    if found == null then value else toString found;

  # Of several parts, or with zeros in front: what is not written out sshd fills in.
  whole = {
    ipqos = ".* .*|none";
    maxstartups = "[0-9]+:[0-9]+:[0-9]+";
    persourcenetblocksize = "[0-9]+:[0-9]+";
    persourcepenalties = "no";
    rekeylimit = "[0-9]+ [0-9]+";
    streamlocalbindmask = "0[0-7]{3}";
  };
  isTold =
    { name, value }:
    !(isOne name lists && builtins.match "[-+^].*" value != null)
    && (!(whole ? ${name}) || builtins.match whole.${name} value != null);
  lists = [
    "casignaturealgorithms"
    "ciphers"
    "hostbasedacceptedalgorithms"
    "hostkeyalgorithms"
    "kexalgorithms"
    "macs"
    "pubkeyacceptedalgorithms"
  ];

  printed =
    setting: value:
    let
      keyword = lib.toLower setting;
      plain = text keyword value;
      # Names of attributes take no context; the value keeps its own.
      key = builtins.unsafeDiscardStringContext plain;
      word = wordsOf.${keyword}.${key} or words.${key} or plain;
    in
    lib.nameValuePair (names.${keyword} or keyword) (if isOne keyword timed then inSeconds word else word);
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
    builtins.listToAttrs (builtins.filter isTold (lib.mapAttrsToList printed set))
  );
}
