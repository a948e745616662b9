# Text: what the modules do with it.
lib:
let
  inherit (builtins) stringLength substring;
  upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  lower = "abcdefghijklmnopqrstuvwxyz";
  letters = s: builtins.genList (i: substring i 1 s) (stringLength s);
  # Regular expressions give these characters a meaning of their own.
  escapeRegex = builtins.replaceStrings (letters "\\[{()^$?*+|.") (
    map (c: "\\${c}") (letters "\\[{()^$?*+|.")
  );
in
{
  inherit escapeRegex;
  hasPrefix = prefix: s: substring 0 (stringLength prefix) s == prefix;
  hasSuffix =
    suffix: s:
    stringLength s >= stringLength suffix
    && substring (stringLength s - stringLength suffix) (-1) s == suffix;
  hasInfix = part: s: builtins.length (builtins.split (escapeRegex part) s) > 1;
  removePrefix =
    prefix: s: if lib.hasPrefix prefix s then substring (stringLength prefix) (-1) s else s;
  removeSuffix =
    suffix: s:
    if lib.hasSuffix suffix s then substring 0 (stringLength s - stringLength suffix) s else s;
  toLower = builtins.replaceStrings (letters upper) (letters lower);
  stringToCharacters = letters;
  splitString =
    separator: s: builtins.filter builtins.isString (builtins.split (escapeRegex separator) s);
  optionalString = condition: s: if condition then s else "";
  concatStrings = builtins.concatStringsSep "";
  concatMapStrings = f: list: builtins.concatStringsSep "" (map f list);
  concatMapStringsSep =
    separator: f: list:
    builtins.concatStringsSep separator (map f list);
  concatLines = list: lib.concatMapStrings (line: line + "\n") list;
  isStorePath =
    x:
    lib.isStringLike x
    && builtins.match "${builtins.storeDir}/[^/]+" (toString x) != null;
  isStringLike = x: builtins.isString x || builtins.isPath x || x ? outPath || x ? __toString;
  toInt =
    s:
    let
      stripped = builtins.match "[[:space:]]*(-?[0-9]+)[[:space:]]*" s;
    in
    if stripped == null then
      throw "toInt: ${s} is not a whole number"
    else
      builtins.fromJSON (builtins.head stripped);
  getName = package: package.pname or (builtins.parseDrvName package.name).name;
  getExe = package: "${package}/bin/${package.meta.mainProgram or (lib.getName package)}";
}
