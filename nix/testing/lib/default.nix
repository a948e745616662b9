# The small library that modules are evaluated with where nixpkgs is not: in the gate.
#
# Rule 1. It knows only what the modules of this project call; a name that is not here is an error.
# Rule 2. What it does know behaves as the library of nixpkgs does. tests/nix evaluates the same
#         modules with the real one wherever a checkout is there, and compares.
let
  lib = plain // {
    inherit (import ./properties.nix lib)
      mkAfter
      mkDefault
      mkForce
      mkIf
      mkMerge
      mkOptionDefault
      mkOrder
      mkOverride
      ;
    inherit (import ./options.nix lib)
      isOption
      literalExpression
      mkEnableOption
      mkOption
      mkPackageOption
      showOption
      ;
    inherit (import ./modules.nix lib) evalModules;
    # For types, which merge what is below them.
    mergeable = { inherit (import ./modules.nix lib) mergeDefinitions spreadAll; };
    types = import ./types.nix lib;
  };
  plain =
    import ./strings.nix plain // import ./lists.nix plain // import ./attrsets.nix plain // {
      inherit (builtins)
        attrNames
        attrValues
        concatMap
        concatStringsSep
        elem
        filter
        foldl'
        head
        listToAttrs
        mapAttrs
        match
        ;
      id = x: x;
    };
in
lib
