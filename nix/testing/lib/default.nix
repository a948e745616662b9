# The small library that modules are evaluated with where nixpkgs is not: in the gate.
#
# Rule 1. It knows only what the modules of this project call; a name that is not here is an error.
# Rule 2. What it does know behaves as the library of nixpkgs does. tests/nix evaluates the same
#         modules with the real one wherever a checkout is there, and compares.
let
  lib = plain // {
    inherit (import ./properties.nix lib)
      mkAfter
      mkBefore
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
        add
        all
        any
        attrNames
        attrValues
        concatLists
        concatMap
        concatStringsSep
        elem
        elemAt
        filter
        foldl'
        fromJSON
        functionArgs
        genList
        groupBy
        head
        isAttrs
        isBool
        isFunction
        isInt
        isList
        isString
        length
        lessThan
        listToAttrs
        mapAttrs
        match
        replaceStrings
        seq
        sort
        split
        stringLength
        substring
        tail
        toJSON
        ;
      id = x: x;
      const = x: _: x;
      boolToString = b: if b then "true" else "false";
      versionAtLeast = v: least: builtins.compareVersions v least >= 0;
      versionOlder = v: than: builtins.compareVersions v than < 0;
      isPath = builtins.isPath;
      # What a release of NixOS calls itself; modules of ours ask config, this is for `lib.trivial`.
      trivial = {
        inherit (plain) id const;
      };
      meta = { inherit (plain) getExe getExe'; };
      lists = { inherit (plain) count optional optionals unique; };
      inPureEvalMode = !(builtins ? currentSystem);
      warn = message: value: builtins.trace "warning: ${message}" value;
    };
in
lib
