# Units: which must be active all the time, and which are there without having to be.
#
# Rule 1. A unit must run when something that is reached at boot wants it, nothing conditions it,
#         and it does not end by itself. What is not that clear need not run.
# Rule 2. Units that come from packages (systemd.packages) are not in the configuration and so not
#         in the document; a failed one is found by LNX-AVL-003.
{ config, lib }:
let
  inherit (import ./sorted.nix lib) strings;
  inherit (config) systemd;
  kinds = {
    services = "service";
    sockets = "socket";
    timers = "timer";
    targets = "target";
    paths = "path";
  };

  # Every declared and enabled unit by its whole name.
  declared = lib.concatMapAttrs (
    kind: suffix:
    lib.mapAttrs' (name: unit: lib.nameValuePair "${name}.${suffix}" (unit // { inherit kind; })) (
      lib.filterAttrs (_: unit: unit.enable) systemd.${kind}
    )
  ) kinds;
  names = builtins.attrNames declared;

  # What starts what: by its own wish, and by that of others (WantedBy, RequiredBy).
  pulls =
    name:
    lib.optionals (declared ? ${name}) (
      (declared.${name}.wants or [ ]) ++ (declared.${name}.requires or [ ])
    );
  pulledBy = builtins.foldl' (
    found: name:
    builtins.foldl' (
      map: by: map // { ${by} = (map.${by} or [ ]) ++ [ name ]; }
    ) found ((declared.${name}.wantedBy or [ ]) ++ (declared.${name}.requiredBy or [ ]))
  ) { } names;

  # Targets that every start reaches; systemd itself chains them.
  roots = lib.unique [
    systemd.defaultUnit
    "basic.target"
    "default.target"
    "getty.target"
    "local-fs.target"
    "multi-user.target"
    "paths.target"
    "remote-fs.target"
    "slices.target"
    "sockets.target"
    "swap.target"
    "sysinit.target"
    "timers.target"
  ];
  reached = builtins.listToAttrs (
    map (entry: lib.nameValuePair entry.key true) (
      builtins.genericClosure {
        startSet = map (key: { inherit key; }) roots;
        operator = { key }: map (key: { inherit key; }) (pulls key ++ (pulledBy.${key} or [ ]));
      }
    )
  );

  isTemplate = name: lib.hasInfix "@." name;
  # Conditions that hold on every machine of this configuration are none.
  met =
    condition: value:
    let
      wanted = map toString (lib.toList value);
    in
    {
      ConditionVirtualization = wanted == [ "!container" ] && !config.boot.isContainer;
      ConditionCapability = !config.boot.isContainer;
      # Words that must not be there, and are not declared.
      ConditionKernelCommandLine = builtins.all (
        word: lib.hasPrefix "!" word && !(builtins.elem (lib.removePrefix "!" word) config.boot.kernelParams)
      ) wanted;
      ConditionSecurity =
        (wanted == [ "audit" ] && config.security.audit.enable != false)
        || (wanted == [ "apparmor" ] && config.security.apparmor.enable);
    }
    .${condition} or false;
  isCondition = name: lib.hasPrefix "Condition" name || lib.hasPrefix "Assert" name;
  conditioned =
    unit:
    let
      settings = unit.unitConfig or { };
    in
    (unit.serviceConfig or { }) ? ExecCondition
    || builtins.any (name: isCondition name && !(met name settings.${name})) (
      builtins.attrNames settings
    );
  # What the package of systemd brings, and a configuration only adds lines to: how such a unit
  # ends is not in the configuration. Of these it is known that they stay.
  ofSystemd = [
    "systemd-journal-upload.service"
    "systemd-networkd.service"
    "systemd-oomd.service"
    "systemd-resolved.service"
    "systemd-timesyncd.service"
  ]
  # A container has the kernel of its host.
  ++ lib.optionals (!config.boot.isContainer) [
    "systemd-modules-load.service"
    "systemd-sysctl.service"
  ];
  stays =
    name:
    let
      service = declared.${name}.serviceConfig or { };
      type = service.Type or "simple";
      remains = builtins.elem (service.RemainAfterExit or false) [
        true
        "yes"
        "true"
        "1"
      ];
    in
    if service ? ExecStart then type != "oneshot" || remains else builtins.elem name ofSystemd;

  of = kind: builtins.filter (name: declared.${name}.kind == kind && !(isTemplate name)) names;
  must = builtins.filter (name: reached ? ${name} && !(conditioned declared.${name}));
  runs = builtins.filter stays (must (of "services"));

  # The package of systemd itself starts these on every machine that is no container.
  always = lib.optionals (!config.boot.isContainer) [
    "systemd-journald.service"
    "systemd-logind.service"
    "systemd-udevd.service"
  ];
  # One that is done and then unloaded is not there to be looked at.
  goes = timer: builtins.elem (timer.timerConfig.RemainAfterElapse or true) [ false "no" "false" "off" "0" ];
in
{
  # Whether something that is reached at boot starts it; of a template that is not said.
  starts = name: reached ? ${name} && !(isTemplate name);
  run = strings (runs ++ always);
  timers = strings (builtins.filter (name: !(goes declared.${name})) (must (of "timers")));
  sockets = strings (must (of "sockets"));
  oneshot = strings (lib.subtractLists (runs ++ always) (of "services"));
}
