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

  # How somebody is recognised: the `auth` lines of a service, and of what it takes in (pam.conf(5)).
  stacks = lib.filterAttrs (_: s: s.enable or true) config.security.pam.services;
  linesOf =
    service:
    lib.splitString "\n" (builtins.unsafeDiscardStringContext (toString stacks.${service}.text));
  takenIn =
    line:
    let
      parts = builtins.match "[ \t]*(-?auth[ \t]+(include|substack)|@include)[ \t]+([^ \t]+).*" line;
    in
    lib.optional (parts != null && stacks ? ${builtins.elemAt parts 2}) { key = builtins.elemAt parts 2; };
  authLines =
    service:
    builtins.filter (line: builtins.match "[ \t]*-?auth[ \t].*" line != null) (
      lib.concatMap (one: linesOf one.key) (
        builtins.genericClosure {
          startSet = [ { key = service; } ];
          operator = { key }: lib.concatMap takenIn (linesOf key);
        }
      )
    );
  usesIn = module: builtins.any (lib.hasInfix module);
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

  pam = builtins.mapAttrs (
    name: _:
    let
      lines = authLines name;
    in
    {
      faillock = usesIn "pam_faillock.so" lines;
      unix = usesIn "pam_unix.so" lines;
    }
  ) stacks;
}
