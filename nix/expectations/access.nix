# Who there is, and how somebody gets in: accounts, groups, keys, PAM.
{ config, lib }:
let
  inherit (import ./sorted.nix lib) strings entries byName;
  users = lib.filterAttrs (_: u: u.enable or true) config.users.users;
  groups = config.users.groups;

  # As the account is written to /etc/passwd: a package by its place in the running system.
  shell =
    s:
    if builtins.isAttrs s && s ? shellPath then
      "/run/current-system/sw${s.shellPath}"
    else if s == null then
      ""
    else
      toString s;

  passwords = [
    "hashedPassword"
    "hashedPasswordFile"
    "initialHashedPassword"
    "initialPassword"
    "password"
  ];
  # Only whether there is one: "!" and "*" in front lock it.
  opens =
    value: value != null && !(lib.hasPrefix "!" (toString value) || lib.hasPrefix "*" (toString value));
  hasPassword = user: builtins.any (field: opens (user.${field} or null)) passwords;

  lines =
    user:
    user.openssh.authorizedKeys.keys
    ++ lib.concatMap (file: lib.splitString "\n" (builtins.readFile file)) user.openssh.authorizedKeys.keyFiles;

  # Words of a line without what stands in quotation marks, which options may hold.
  wordsOf =
    line:
    builtins.filter (w: builtins.isString w && w != "") (
      builtins.split "[ \t]+" (
        lib.concatStrings (builtins.filter builtins.isString (builtins.split ''"[^"]*"'' line))
      )
    );
  isType = word: builtins.match "(sk-)?(ssh|ecdsa)-[a-z0-9@.-]+" word != null;
  keyOf =
    user: line:
    let
      words = wordsOf line;
      pairs = builtins.filter (p: isType p.type && builtins.match "AAAA[A-Za-z0-9+/]*=*" p.key != null) (
        lib.imap0 (i: type: {
          inherit user type;
          key = if i + 1 < builtins.length words then builtins.elemAt words (i + 1) else "";
        }) words
      );
      comment = words == [ ] || lib.hasPrefix "#" (builtins.head words);
    in
    if comment then
      [ ]
    else if pairs == [ ] then
      throw "users.users.${user}.openssh.authorizedKeys: a line is no SSH key"
    else
      [ (builtins.head pairs) ];

  # Numbers below 1000 are the system's, and so is that of nobody.
  isSystem =
    user: user.isSystemUser || (user.uid != null && (user.uid < 1000 || user.uid == 65534));

  keysOf = user: lib.concatMap (keyOf user.name) (lines user);

  groupsOf =
    name: user:
    strings (
      user.extraGroups
      ++ builtins.filter (group: builtins.elem name groups.${group}.members) (builtins.attrNames groups)
    );
  membersOf =
    group:
    strings (
      groups.${group}.members
      ++ map (n: users.${n}.name) (
        builtins.filter (n: builtins.elem group users.${n}.extraGroups) (builtins.attrNames users)
      )
    );

  # Modules of the first of a service's stacks, which says how somebody is recognised.
  authLines = text: builtins.filter (l: builtins.match "-?auth[ \t].*" l != null) (lib.splitString "\n" text);
  usesIn = module: text: builtins.any (lib.hasInfix module) (authLines text);
in
{
  users = byName (
    lib.mapAttrsToList (
      name: user:
      {
        inherit (user) name uid group;
        groups = groupsOf user.name user;
        inherit (user) home;
        shell = shell user.shell;
        system = isSystem user;
        login =
          if hasPassword user then
            "password"
          else if keysOf user != [ ] then
            "key"
          else
            "none";
      }
    ) users
  );

  groups = byName (
    lib.mapAttrsToList (name: group: {
      inherit (group) name gid;
      members = membersOf name;
    }) groups
  );

  keys = entries (lib.concatMap keysOf (builtins.attrValues users));

  pam = builtins.mapAttrs (_: service: {
    faillock = usesIn "pam_faillock.so" service.text;
    unix = usesIn "pam_unix.so" service.text;
  }) (lib.filterAttrs (_: s: s.enable or true) config.security.pam.services);
}
