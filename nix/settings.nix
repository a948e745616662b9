# From options to the text of reconciler.yaml.
#
# Rule 1: An option and its field have one name: `maxMebibytes` is `max_mebibytes`. There is no table
#         that could disagree with reconciler/engine/settings.py; a test compares both sides.
# Rule 2: What is not set is left out, so the defaults of the program hold.
# Rule 3: Every text is quoted as JSON quotes it, which the strict reader takes literally.
{ lib }:

let
  letters = lib.stringToCharacters "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

  # `realiseTimeoutS` -> `realise_timeout_s`
  fieldName = builtins.replaceStrings letters (map (letter: "_${lib.toLower letter}") letters);

  unset = value: value == null || value == [ ] || value == { };

  # Options to fields, without what is not set. Derivations and paths are left as they are.
  fields =
    value:
    if builtins.isAttrs value && !(value ? outPath) then
      lib.filterAttrs (_: inner: !unset inner) (
        lib.mapAttrs' (name: inner: lib.nameValuePair (fieldName name) (fields inner)) value
      )
    else if builtins.isList value then
      map fields value
    else
      value;

  # Spellings that mean no text where they are not quoted.
  typed = [
    "true"
    "false"
    "null"
  ];

  key =
    name:
    if builtins.match "[a-z]+(_[a-z0-9]+)*" name != null && !lib.elem name typed then
      name
    else
      builtins.toJSON name;

  isBlock = value: (builtins.isAttrs value && !(value ? outPath)) || builtins.isList value;

  entry =
    indent: name: value:
    if isBlock value then
      "${indent}${key name}:\n${block "${indent}  " value}"
    else
      "${indent}${key name}: ${builtins.toJSON value}\n";

  # Items of lists are written as JSON: they are small, and flow style is YAML, too.
  block =
    indent: value:
    if builtins.isList value then
      lib.concatMapStrings (item: "${indent}- ${builtins.toJSON item}\n") value
    else
      lib.concatStrings (lib.mapAttrsToList (entry indent) value);
in
{
  inherit fieldName fields;

  # The text of a settings file, for an attribute set that `fields` made.
  render = value: block "" value;
}
