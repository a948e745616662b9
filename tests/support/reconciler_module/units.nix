# Of the units of one kind, the reconciler's: what a unit file is written from.
units:
let
  ours = builtins.filter (name: builtins.match "reconciler.*" name != null) (builtins.attrNames units);
  relations = unit: {
    Description = unit.description;
    After = unit.after;
    Wants = unit.wants;
  };
in
builtins.listToAttrs (
  map (
    name:
    let
      unit = units.${name};
    in
    {
      inherit name;
      value = {
        unit = relations unit // unit.unitConfig;
        section =
          (unit.serviceConfig or unit.socketConfig or unit.timerConfig)
          // (if (unit.script or "") == "" then { } else { ExecStart = "/bin/sh -c true"; });
        inherit (unit) wantedBy;
        restartIfChanged = unit.restartIfChanged or true;
        script = unit.script or "";
      };
    }
  ) ours
)
