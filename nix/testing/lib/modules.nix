# The module system, as far as our modules use it.
#
# Rule 1. A definition of an option that nobody declared is an error that names it and its file.
# Rule 2. A value that its type does not take is an error that names the option.
# Rule 3. Nothing is evaluated before it is asked for: whoever wants to know that every value is
#         good has to force it (builtins.deepSeq).
lib:
let
  inherit (builtins)
    concatMap
    filter
    foldl'
    isAttrs
    isFunction
    mapAttrs
    ;
  show = lib.showOption;
  typeOf = x: if isAttrs x then x._type or null else null;
  files = defs: builtins.concatStringsSep ", " (lib.unique (map (d: "`${d.file}'") defs));

  # --- collecting modules ---------------------------------------------------------------------

  call =
    args: f: f (args // mapAttrs (n: _: args.${n} or args.config._module.args.${n}) (builtins.functionArgs f));

  known = [
    "_class"
    "_file"
    "config"
    "disabledModules"
    "freeformType"
    "imports"
    "key"
    "meta"
    "options"
  ];

  # A module in its long form; what is no list of parts is a configuration.
  longForm =
    file: body:
    let
      isLong = body ? config || body ? options;
      strange = filter (n: !(builtins.elem n known)) (builtins.attrNames body);
    in
    if isLong && strange != [ ] then
      throw "module ${file} has unsupported attributes beside `options' and `config': ${toString strange}"
    else
      {
        file = body._file or file;
        imports = body.imports or [ ];
        options = body.options or { };
        config =
          if isLong then
            body.config or { }
          else
            removeAttrs body [
              "_class"
              "_file"
              "imports"
              "key"
              "freeformType"
            ];
        freeform = body.freeformType or null;
      };

  load =
    args: parent: module:
    let
      isFile = builtins.isPath module || builtins.isString module;
      file = if isFile then toString module else parent;
      read = if isFile then import module else module;
      body = if isFunction read then call args read else read;
    in
    {
      key = if isFile then toString module else null;
      module = longForm (if isFile then file else "${file} (inline)") body;
    };

  # Every module once: one file that two others import counts once.
  collect =
    args: parent: modules: seen:
    foldl' (
      state: module:
      let
        loaded = load args parent module;
        known = loaded.key != null && state.seen ? ${loaded.key};
        below = collect args loaded.module.file loaded.module.imports (
          state.seen // lib.optionalAttrs (loaded.key != null) { ${loaded.key} = true; }
        );
      in
      if known then
        state
      else
        {
          inherit (below) seen;
          modules = state.modules ++ [ loaded.module ] ++ below.modules;
        }
    ) { inherit seen; modules = [ ]; } modules;

  # --- what a definition says about itself ----------------------------------------------------

  # One definition as plain sets of attributes, whose values carry its conditions and priorities.
  spread =
    value:
    {
      "merge" = concatMap spread value.contents;
      "if" = map (mapAttrs (_: lib.mkIf value.condition)) (spread value.content);
      "override" = map (mapAttrs (_: lib.mkOverride value.priority)) (spread value.content);
      "order" = map (mapAttrs (_: lib.mkOrder value.priority)) (spread value.content);
    }
    .${toString (typeOf value)} or [ value ];

  spreadAll = defs: concatMap (d: map (value: { inherit (d) file; inherit value; }) (spread d.value)) defs;

  # Conditions decided, and the priority that stands outermost. What is below a priority is not
  # looked at before it has won: a default may well be one that cannot be evaluated.
  decide =
    def:
    let
      v = def.value;
    in
    {
      "merge" = concatMap (value: decide (def // { inherit value; })) (v.contents or [ ]);
      "if" = if v.condition then decide (def // { value = v.content; }) else [ ];
      "override" = [
        (
          def
          // {
            inherit (v) priority;
            value = v.content;
          }
        )
      ];
    }
    .${toString (typeOf v)} or [ (def // { priority = 100; }) ];

  # What won, down to plain values with their order.
  unwrap =
    order: def:
    let
      v = def.value;
      again = order: value: unwrap order (def // { inherit value; });
    in
    {
      "merge" = concatMap (again order) (v.contents or [ ]);
      "if" = if v.condition then again order v.content else [ ];
      "override" = again order v.content;
      "order" = again (v.priority or 1000) v.content;
    }
    .${toString (typeOf v)} or [ (def // { inherit order; }) ];

  counting =
    defs:
    let
      decided = concatMap decide defs;
      highest = foldl' (least: d: if d.priority < least then d.priority else least) 9999 decided;
      best = concatMap (unwrap 1000) (filter (d: d.priority == highest) decided);
    in
    builtins.sort (a: b: a.order < b.order) best;

  # The value of definitions under a type; null where no definition holds.
  mergeDefinitions =
    loc: type: defs:
    let
      held = counting defs;
      wrong = filter (d: !(type.check d.value)) held;
    in
    {
      isDefined = held != [ ];
      definitions = held;
      value =
        if held == [ ] then
          throw "The option `${show loc}' was accessed but has no value defined. Try setting the option."
        else if wrong != [ ] then
          throw "A definition for option `${show loc}' is not of type `${type.description}'. Definition values: - In ${files wrong}"
        else
          type.merge loc held;
    };

  # --- the tree -------------------------------------------------------------------------------

  # Declarations of all modules in one tree.
  declare =
    loc: trees:
    let
      names = lib.unique (concatMap builtins.attrNames trees);
      node =
        name:
        let
          found = map (t: t.${name}) (filter (t: t ? ${name}) trees);
          options = filter lib.isOption found;
          here = loc ++ [ name ];
        in
        if options == [ ] then
          declare here found
        else if builtins.length found > 1 then
          throw "The option `${show here}' is already declared."
        else
          builtins.head options;
    in
    lib.genAttrs names node;

  evalOption =
    loc: option: defs:
    let
      type = option.type or lib.types.unspecified;
      default = lib.optional (option ? default) {
        file = "its default";
        value = lib.mkOptionDefault option.default;
      };
      merged = mergeDefinitions loc type (defs ++ default);
      apply = option.apply or lib.id;
      locked = (option.readOnly or false) && builtins.length (counting defs) > 1;
    in
    option
    // {
      inherit loc type;
      inherit (merged) isDefined definitions;
      files = map (d: d.file) defs;
      value =
        if locked then throw "The option `${show loc}' is read-only, but it's set multiple times." else apply merged.value;
    };

  isPlain = x: isAttrs x && !(x ? _type);

  evalTree =
    loc: declared: defs: freeform:
    let
      sets = spreadAll defs;
      under = name: concatMap (d: lib.optional (d.value ? ${name}) { inherit (d) file; value = d.value.${name}; }) sets;
      names = lib.unique (concatMap (d: builtins.attrNames d.value) sets);
      odd = filter (d: !(isPlain d.value)) sets;
      unknown = filter (n: !(declared ? ${n})) names;
      children = mapAttrs (
        name: option:
        if lib.isOption option then
          { option = evalOption (loc ++ [ name ]) option (under name); }
        else
          { tree = evalTree (loc ++ [ name ]) option (under name) null; }
      ) declared;
      extra =
        if freeform == null || unknown == [ ] then
          { }
        else
          (mergeDefinitions loc freeform (
            map (d: d // { value = lib.filterAttrs (n: _: builtins.elem n unknown) d.value; }) sets
          )).value;
      strange = map (name: { loc = loc ++ [ name ]; inherit name; defs = under name; }) unknown;
    in
    {
      config = extra // mapAttrs (_: c: if c ? option then c.option.value else c.tree.config) children;
      options = mapAttrs (_: c: c.option or c.tree.options) children;
      unmatched =
        lib.optionals (freeform == null) strange
        ++ map (d: { inherit loc; defs = [ d ]; }) odd
        ++ concatMap (c: if c ? tree then c.tree.unmatched else [ ]) (builtins.attrValues children);
    };

  evalModules =
    {
      modules,
      specialArgs ? { },
      prefix ? [ ],
    }:
    let
      builtIn = {
        options._module.args = lib.mkOption {
          type = lib.types.lazyAttrsOf lib.types.raw;
          default = { };
          internal = true;
        };
      };
      args = {
        inherit lib;
        inherit (evaluated) config options;
      }
      // specialArgs;
      # What is imported later comes first where definitions are joined, as in nixpkgs.
      all = lib.reverseList (collect args "<the caller>" ([ builtIn ] ++ modules) { }).modules;
      freeforms = filter (f: f != null) (map (m: m.freeform) all);
      evaluated =
        evalTree prefix (declare prefix (map (m: m.options) all))
          (map (m: { inherit (m) file; value = m.config; }) all)
          (if freeforms == [ ] then null else builtins.head freeforms);
      complain =
        u: "The option `${show u.loc}' does not exist. Definition values: - In ${files u.defs}";
    in
    {
      _type = "configuration";
      inherit (evaluated) options;
      config =
        if evaluated.unmatched == [ ] then
          removeAttrs evaluated.config [ "_module" ]
        else
          throw (builtins.concatStringsSep "\n" (map complain evaluated.unmatched));
    };
in
{
  inherit evalModules mergeDefinitions spreadAll;
}
