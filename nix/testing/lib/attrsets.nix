# Attribute sets: what the modules do with them.
lib: {
  nameValuePair = name: value: { inherit name value; };
  mapAttrs' = f: set: builtins.listToAttrs (map (n: f n set.${n}) (builtins.attrNames set));
  mapAttrsToList = f: set: map (n: f n set.${n}) (builtins.attrNames set);
  attrsToList = lib.mapAttrsToList lib.nameValuePair;
  concatMapAttrs = f: set: lib.mergeAttrsList (lib.mapAttrsToList f set);
  mergeAttrsList = builtins.foldl' (left: right: left // right) { };
  filterAttrs =
    wanted: set:
    builtins.listToAttrs (
      builtins.filter ({ name, value }: wanted name value) (lib.attrsToList set)
    );
  genAttrs = names: f: builtins.listToAttrs (map (n: lib.nameValuePair n (f n)) names);
  optionalAttrs = condition: set: if condition then set else { };
  attrByPath =
    path: default: set:
    if path == [ ] then
      set
    else if builtins.isAttrs set && set ? ${builtins.head path} then
      lib.attrByPath (builtins.tail path) default set.${builtins.head path}
    else
      default;
  getAttrFromPath =
    path: set:
    lib.attrByPath path (throw "there is no attribute ${builtins.concatStringsSep "." path}") set;
  setAttrByPath =
    path: value:
    if path == [ ] then
      value
    else
      { ${builtins.head path} = lib.setAttrByPath (builtins.tail path) value; };
  isDerivation = x: builtins.isAttrs x && x.type or null == "derivation";
  removeAttrs = builtins.removeAttrs;
}
