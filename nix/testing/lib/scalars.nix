# Types of single values: flags, numbers, texts, paths, packages.
{
  lib,
  mkType,
  single,
}:
let
  inherit (builtins) isBool isInt isString;

  joined =
    separator:
    mkType {
      name = "separatedString";
      description = "strings concatenated with ${builtins.toJSON separator}";
      check = isString;
      merge = _: defs: builtins.concatStringsSep separator (map (d: d.value) defs);
    };

  wholeNumber =
    name: description: good:
    mkType {
      inherit name description;
      check = x: isInt x && good x;
    };

  scalars = {
    bool = mkType {
      name = "bool";
      description = "boolean";
      check = isBool;
    };
    int = wholeNumber "int" "signed integer" (_: true);
    port = wholeNumber "unsignedInt16" "16 bit unsigned integer; between 0 and 65535 (both inclusive)" (
      x: x >= 0 && x <= 65535
    );
    ints = {
      between =
        low: high:
        wholeNumber "intBetween" "integer between ${toString low} and ${toString high} (both inclusive)" (
          x: x >= low && x <= high
        );
      positive = wholeNumber "positiveInt" "positive integer, meaning >0" (x: x > 0);
      unsigned = wholeNumber "unsignedInt" "unsigned integer, meaning >=0" (x: x >= 0);
      u16 = scalars.port;
      u32 = wholeNumber "unsignedInt32" "32 bit unsigned integer" (x: x >= 0 && x <= 4294967295);
    };
    str = mkType {
      name = "str";
      description = "string";
      check = isString;
    };
    nonEmptyStr = mkType {
      name = "nonEmptyStr";
      description = "non-empty string";
      check = x: isString x && builtins.match "[ \t\n]*" x == null;
    };
    singleLineStr = mkType {
      name = "singleLineStr";
      description = "(optionally newline-terminated) single-line string";
      check = x: isString x && builtins.match "[^\n\r]*\n?" x != null;
    };
    strMatching =
      pattern:
      mkType {
        name = "strMatching";
        description = "string matching the pattern ${pattern}";
        check = x: isString x && builtins.match pattern x != null;
      };
    separatedString = joined;
    lines = joined "\n";
    commas = joined ",";
    path = mkType {
      name = "path";
      description = "absolute path";
      check = x: lib.isStringLike x && builtins.substring 0 1 (toString x) == "/";
    };
    pathInStore = mkType {
      name = "pathInStore";
      description = "path in the Nix store";
      check = x: lib.isStringLike x && builtins.match "${builtins.storeDir}/[^.].*" (toString x) != null;
    };
    package = mkType {
      name = "package";
      description = "package";
      check = x: lib.isDerivation x || (lib.isStringLike x && lib.isStorePath x);
      merge = single;
    };
    shellPackage = scalars.package // {
      name = "shellPackage";
      check = x: lib.isDerivation x && x ? shellPath;
    };
  };
in
scalars
