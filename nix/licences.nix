# Licences of the packages of a system, by store path, as SPDX identifiers.
#
# Rule 1. Only what nixpkgs states with an SPDX identifier; the rest stays unsaid.
# Rule 2. Metadata pulls nothing in: the paths lose their context, so a licence of a package that
#         nobody uses does not make it part of the system.
{ config, lib }:
let
  spdx =
    license:
    lib.unique (
      lib.concatMap (
        entry: lib.optional (builtins.isAttrs entry && entry ? spdxId && builtins.isString entry.spdxId) entry.spdxId
      ) (lib.toList license)
    );
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
