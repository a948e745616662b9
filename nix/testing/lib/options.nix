# Declarations of options.
lib: {
  mkOption = declaration: declaration // { _type = "option"; };
  mkEnableOption =
    what:
    lib.mkOption {
      type = lib.types.bool;
      default = false;
      example = true;
      description = "Whether to enable ${what}.";
    };
  mkPackageOption =
    pkgs: name: given:
    let
      path = lib.toList (given.default or name);
    in
    lib.mkOption (
      {
        type = lib.types.package;
        description = "The ${builtins.concatStringsSep "." (lib.toList name)} package to use.";
      }
      // lib.optionalAttrs (given.default or true != null) {
        default = lib.getAttrFromPath path pkgs;
      }
    );
  literalExpression = text: {
    _type = "literalExpression";
    inherit text;
  };
  isOption = x: builtins.isAttrs x && x._type or null == "option";
  # As the library of nixpkgs prints it: names that are no identifiers are quoted.
  showOption =
    parts:
    builtins.concatStringsSep "." (
      map (p: if builtins.match "[A-Za-z_][A-Za-z0-9_'-]*" p != null then p else ''"${p}"'') parts
    );
}
