# Evaluates the baseline in many ways in one process; what came of each as JSON.
{
  lib ? import ../../../nix/testing/lib,
}:
let
  testing = import ../../../nix/testing { inherit lib; };
  host = more: testing.evalSystem { modules = [ ./host.nix ] ++ more; };
  document = e: e.config.reconciler.expectations.document;
  forced = e: builtins.deepSeq [ (document e) (testing.refusals e.config) ] e;
  refusals = more: testing.refusals (host more).config;

  table = import ./options.nix;
  path = name: lib.splitString "." name;
  set = name: value: {
    reconciler.baseline = lib.setAttrByPath (path name) (lib.mkForce value);
  };
  inBaseline = name: e: lib.getAttrFromPath (path name) e.config.reconciler.baseline;

  # Every declared option below reconciler.baseline.
  leaves =
    prefix: tree:
    lib.concatMap (
      name:
      let
        here = prefix ++ [ name ];
      in
      if lib.isOption tree.${name} then
        [ (builtins.concatStringsSep "." here) ]
      else
        leaves here tree.${name}
    ) (builtins.attrNames (removeAttrs tree [ "_module" ]));
  base = host [ ];
  declared = base.options.reconciler.baseline;
  described =
    name:
    let
      option = lib.getAttrFromPath (path name) declared;
    in
    {
      inherit (option) description;
      type = option.type.description;
      hasDefault = option ? default;
    };
  names = leaves [ ] declared;
in
{
  options = lib.genAttrs names described;
  tested = builtins.attrNames table;

  # Imported and not switched on.
  plain = document (
    forced (
      testing.evalSystem {
        modules = [
          ../../../nix/modules/baseline
          ../../../nix/modules/expectations.nix
        ];
      }
    )
  );
  whole = document (forced base);
  refused = testing.refusals base.config;
  inherit (base.config.reconciler.baseline) safeguards;

  # The good value comes out as it went in, is not what was there before, and all still evaluates.
  good = builtins.mapAttrs (
    name: case:
    let
      value = inBaseline name (forced (host [ (set name case.good) ]));
      names = x: if builtins.isAttrs x then builtins.attrNames x else x;
    in
    {
      took = names value == names case.good;
      changed = names (inBaseline name base) != names case.good;
    }
  ) table;
  bad = builtins.mapAttrs (
    name: case:
    map (
      value:
      (builtins.tryEval (builtins.deepSeq (inBaseline name (host [ (set name value) ])) true)).success
    ) case.bad
  ) table;
  # Each safeguard switched off alone.
  off = lib.genAttrs (builtins.attrNames base.config.reconciler.baseline.safeguards) (
    name:
    let
      e = forced (host [ { reconciler.baseline.${name}.enable = false; } ]);
    in
    {
      others = builtins.length (
        builtins.filter (s: s.enabled) (builtins.attrValues e.config.reconciler.baseline.safeguards)
      );
      inherit (e.config.reconciler.baseline.safeguards.${name}) enabled;
      refused = testing.refusals e.config;
    }
  );
  assertions = builtins.mapAttrs (_: module: refusals [ module ]) (
    import ./assertions.nix { inherit lib; }
  );
  secrets = builtins.mapAttrs (_: module: refusals [ module ]) (import ./secrets.nix { inherit lib; });
  exempt = refusals [
    {
      systemd.services.demo.environment.API_TOKEN = "none";
      reconciler.baseline.secrets.exempt = [ "systemd.services.demo.environment.API_TOKEN" ];
    }
  ];
}
