# Licences of the packages of a system, by store path, as SPDX writes them.
#
# Rule 1. All that a package says of its licences, or nothing: a part of it would be another licence.
#         What has no SPDX identifier goes by its name.
# Rule 2. Metadata pulls nothing in: the paths lose their context, so a licence of a package that
#         nobody uses does not make it part of the system.
# Rule 3. What is odd in the metadata of one package costs no system its evaluation.
{ config, lib }:
let
  joined =
    separator: texts:
    if builtins.all builtins.isString texts then builtins.concatStringsSep separator texts else null;
  # Expressions of nixpkgs: `AND`, `OR`, `WITH` and `PLUS` make attribute sets with an operator.
  expression =
    entry:
    if builtins.isList (entry.licenses or null) then
      joined " ${entry.operator} " (map operand entry.licenses)
    else if entry ? license && entry ? exception then
      joined " ${entry.operator} " [
        (operand entry.license)
        (text entry.exception)
      ]
    else if entry ? license then
      joined "" [
        (operand entry.license)
        entry.operator
      ]
    else
      null;
  operand =
    entry:
    let
      said = text entry;
    in
    if builtins.isAttrs entry && entry ? licenses && said != null then "(${said})" else said;
  text =
    entry:
    if builtins.isString entry then
      entry
    else if !builtins.isAttrs entry then
      null
    else if builtins.isString (entry.operator or null) then
      expression entry
    else
      builtins.foldl' (found: name: if found == null then name else found) null (
        builtins.filter builtins.isString [
          (entry.spdxId or null)
          (entry.shortName or null)
          (entry.fullName or null)
        ]
      );
  # What the reader of the list takes; it refuses a list with anything else in it.
  fits =
    said:
    builtins.isString said
    && builtins.stringLength said <= 1000
    && builtins.match "[!-~]([ -~]*[!-~])?" said != null;
  spdx =
    license:
    let
      said = lib.unique (map text (lib.toList license));
    in
    if builtins.all fits said && builtins.length said <= 64 then said else [ ];
  outputs =
    package: if package ? outputs then map (name: package.${name}) package.outputs else [ package ];
  entry =
    package:
    map (output: {
      name = builtins.unsafeDiscardStringContext (toString output);
      value = builtins.sort builtins.lessThan (spdx package.meta.license);
    }) (outputs package);
  # A package that cannot be evaluated is one that is not in the system.
  safely =
    package:
    let
      tried = builtins.tryEval (
        let
          found = entry package;
        in
        builtins.deepSeq found found
      );
    in
    if (builtins.tryEval (package ? meta.license)).value && tried.success then tried.value else [ ];
in
{
  format = "reconciler-licences/1";
  licences = lib.filterAttrs (_: ids: ids != [ ]) (
    builtins.listToAttrs (lib.concatMap safely config.environment.systemPackages)
  );
}
