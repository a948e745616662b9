# One order for every list: that of what an entry holds, without twins.
lib:
let
  # Of an entry that is a set, the text of its JSON, which Nix writes with sorted names.
  text = x: if builtins.isString x then x else builtins.toJSON x;
  strings = list: lib.unique (builtins.sort builtins.lessThan list);
in
{
  inherit strings;
  entries =
    list:
    let
      byText = builtins.listToAttrs (
        map (value: {
          # Names of attributes take no context; the values keep theirs.
          name = builtins.unsafeDiscardStringContext (text value);
          inherit value;
        }) list
      );
    in
    builtins.attrValues byText;
  byName = list: builtins.sort (a: b: a.name < b.name) list;
}
