# Types: what an option takes, and how several definitions become one value.
lib:
let
  inherit (builtins)
    concatMap
    filter
    head
    isAttrs
    isList
    length
    ;
  show = lib.showOption;

  mkType =
    given:
    {
      merge = one;
      emptyValue = { };
      # The options below, for documentation.
      getSubOptions = _: { };
    }
    // given
    // {
      _type = "option-type";
    };

  # One value, which several definitions may give if they agree.
  one =
    loc: defs:
    let
      first = (head defs).value;
    in
    if builtins.all (d: d.value == first) defs then
      first
    else
      throw "The option `${show loc}' has conflicting definition values: ${
        builtins.concatStringsSep ", " (map (d: "In `${d.file}'") defs)
      }";

  # One value that cannot be compared, so that one definition alone may give it.
  single =
    loc: defs:
    if length defs == 1 then
      (head defs).value
    else
      throw "The option `${show loc}' is defined multiple times while it's expected to be unique.";

  # The value of each name that is defined in any of the definitions.
  byName =
    elemType: lazy: loc: defs:
    let
      sets = lib.mergeable.spreadAll defs;
      names = lib.unique (concatMap (d: builtins.attrNames d.value) sets);
      merged =
        name:
        lib.mergeable.mergeDefinitions (loc ++ [ name ]) elemType (
          concatMap (
            d:
            lib.optional (d.value ? ${name}) {
              inherit (d) file;
              value = d.value.${name};
            }
          ) sets
        );
      each = lib.genAttrs names merged;
      defined = if lazy then each else lib.filterAttrs (_: m: m.isDefined) each;
    in
    builtins.mapAttrs (_: m: m.value) defined;

  inOrder =
    elemType: loc: defs:
    let
      elements = concatMap (
        d:
        lib.imap0 (i: value: {
          loc = loc ++ [ "[definition of ${d.file}, entry ${toString i}]" ];
          def = [
            {
              inherit (d) file;
              inherit value;
            }
          ];
        }) d.value
      ) defs;
      merged = map (e: lib.mergeable.mergeDefinitions e.loc elemType e.def) elements;
    in
    map (m: m.value) (filter (m: m.isDefined) merged);

  anything =
    loc: defs:
    let
      values = map (d: d.value) defs;
    in
    if builtins.all (v: isAttrs v && !(v ? outPath)) values then
      byName types.anything false loc defs
    else if length defs > 1 && builtins.all isList values then
      concatMap lib.id values
    else
      one loc defs;

  submodule =
    modules:
    let
      inside =
        loc: given:
        lib.evalModules {
          modules = modules ++ [ { _module.args.name = lib.mkOptionDefault (lib.last loc); } ] ++ given;
          prefix = loc;
        };
      asModule =
        d:
        if isAttrs d.value then
          {
            _file = d.file;
            config = d.value;
          }
        else
          d.value;
    in
    mkType {
      name = "submodule";
      description = "submodule";
      check = x: isAttrs x || builtins.isFunction x || builtins.isPath x;
      emptyValue.value = { };
      getSubOptions = prefix: removeAttrs (inside prefix [ ]).options [ "_module" ];
      merge = loc: defs: (inside loc (map asModule defs)).config;
    };

  types = import ./scalars.nix { inherit lib mkType single; } // {
    inherit mkType;
    isType = x: isAttrs x && x._type or null == "option-type";
    unspecified = mkType {
      name = "unspecified";
      description = "unspecified value";
      check = _: true;
    };
    raw = mkType {
      name = "raw";
      description = "raw value";
      check = _: true;
      merge = single;
    };
    anything = mkType {
      name = "anything";
      description = "anything";
      check = _: true;
      merge = anything;
    };
    enum =
      values:
      mkType {
        name = "enum";
        description = "one of ${builtins.concatStringsSep ", " (map builtins.toJSON values)}";
        check = x: builtins.elem x values;
      };
    nullOr =
      type:
      mkType {
        name = "nullOr";
        description = "null or ${type.description}";
        check = x: x == null || type.check x;
        emptyValue.value = null;
        inherit (type) getSubOptions;
        merge =
          loc: defs:
          let
            nulls = length (filter (d: d.value == null) defs);
          in
          if nulls == length defs then
            null
          else if nulls > 0 then
            throw "The option `${show loc}' is defined both null and not null."
          else
            type.merge loc defs;
      };
    either =
      left: right:
      mkType {
        name = "either";
        description = "${left.description} or ${right.description}";
        check = x: left.check x || right.check x;
        merge =
          loc: defs:
          if builtins.all (d: left.check d.value) defs then
            left.merge loc defs
          else if builtins.all (d: right.check d.value) defs then
            right.merge loc defs
          else
            one loc defs;
      };
    oneOf = list: builtins.foldl' types.either (head list) (builtins.tail list);
    listOf =
      elem:
      mkType {
        name = "listOf";
        description = "list of ${elem.description}";
        check = isList;
        emptyValue.value = [ ];
        getSubOptions = prefix: elem.getSubOptions (prefix ++ [ "*" ]);
        merge = inOrder elem;
      };
    nonEmptyListOf =
      elem:
      types.listOf elem
      // {
        description = "non-empty list of ${elem.description}";
        check = x: isList x && x != [ ];
      };
    attrsOf =
      elem:
      mkType {
        name = "attrsOf";
        description = "attribute set of ${elem.description}";
        check = isAttrs;
        emptyValue.value = { };
        getSubOptions = prefix: elem.getSubOptions (prefix ++ [ "<name>" ]);
        merge = byName elem false;
      };
    lazyAttrsOf = elem: types.attrsOf elem // { merge = byName elem true; };
    attrs = types.attrsOf types.unspecified // {
      name = "attrs";
      merge = _: defs: lib.mergeAttrsList (map (d: d.value) defs);
    };
    functionTo =
      _:
      mkType {
        name = "functionTo";
        description = "function";
        check = builtins.isFunction;
        merge = single;
      };
    submodule = module: submodule (lib.toList module);
  };
in
types
