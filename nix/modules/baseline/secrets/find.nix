# Options whose value puts a secret into the Nix store: a list of { option; what; remedy; }.
#
# Rule: values are looked at and never repeated, neither here nor in a message.
{
  config,
  lib,
  options,
}:
let
  inStore =
    value:
    value != null
    && (builtins.isPath value || lib.hasPrefix "${builtins.storeDir}/" (toString value));
  paths = import ./paths.nix { inherit config lib options; };

  copied = map (
    { option, ... }:
    {
      inherit option;
      what = "names a file in the Nix store, where every user reads it";
      remedy = "Name the path on the machine, as a string: a Nix path is copied.";
    }
  ) (builtins.filter (p: inStore p.value) paths);

  # A hash in the store is one that every user may try to guess.
  locked = value: value == null || lib.hasPrefix "!" value || lib.hasPrefix "*" value;
  spelled =
    option: value:
    lib.optional (!locked value) {
      inherit option;
      what = "puts a password into the Nix store";
      remedy = "Use hashedPasswordFile with a path on the machine.";
    };
  passwords = lib.concatMap (
    name:
    lib.concatMap (field: spelled "users.users.${name}.${field}" config.users.users.${name}.${field}) [
      "hashedPassword"
      "initialHashedPassword"
      "initialPassword"
      "password"
    ]
  ) (builtins.attrNames config.users.users);

  spelledKey =
    option: value:
    lib.optional (value != null) {
      inherit option;
      what = "puts a key into the Nix store";
      remedy = "Use ${option}File with a path on the machine.";
    };
  keysOf =
    makers:
    lib.concatMap (
      name:
      let
        interface = config.networking.${makers}.interfaces.${name};
        under = "networking.${makers}.interfaces.${name}";
      in
      spelledKey "${under}.privateKey" interface.privateKey
      ++ lib.concatMap (peer: spelledKey "${under}.peers.*.presharedKey" peer.presharedKey) interface.peers
    ) (builtins.attrNames config.networking.${makers}.interfaces);
  keys = keysOf "wireguard" ++ keysOf "wg-quick";

  # "ext:name" names a secret of the file that holds them.
  wireless = lib.concatMap (
    name:
    let
      network = config.networking.wireless.networks.${name};
      spelledOut =
        field:
        lib.optional (network.${field} != null && !(lib.hasPrefix "ext:" network.${field})) {
          option = "networking.wireless.networks.\"${name}\".${field}";
          what = "puts a password into the Nix store";
          remedy = "Use pskRaw = \"ext:NAME\" and networking.wireless.secretsFile.";
        };
    in
    lib.concatMap spelledOut [
      "psk"
      "pskRaw"
    ]
  ) (builtins.attrNames config.networking.wireless.networks);
  passphrases = map (job: {
    option = "services.borgbackup.jobs.${job}.encryption.passphrase";
    what = "puts a password into the Nix store";
    remedy = "Use encryption.passCommand, which reads a file on the machine.";
  }) (
    builtins.attrNames (
      lib.filterAttrs (_: job: job.encryption.passphrase != null) config.services.borgbackup.jobs
    )
  );

  telling = name: builtins.match ".*(PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY)" name != null;
  environments = lib.concatMap (
    unit:
    map
      (variable: {
        option = "systemd.services.${unit}.environment.${variable}";
        what = "looks as if it put a secret into the Nix store";
        remedy = "Use serviceConfig.LoadCredential or EnvironmentFile with a path on the machine.";
      })
      (builtins.filter telling (builtins.attrNames (
        lib.filterAttrs (_: value: value != null) config.systemd.services.${unit}.environment
      )))
  ) (builtins.attrNames config.systemd.services);

  # fstab(5) is read by everybody, too.
  mounts = map (path: {
    option = "fileSystems.\"${path}\".options";
    what = "puts a password into the Nix store";
    remedy = "Use the option credentials= with a path on the machine.";
  }) (
    builtins.attrNames (
      lib.filterAttrs (
        _: fs: builtins.any (lib.hasPrefix "pass") (lib.concatMap (lib.splitString ",") fs.options)
      ) config.fileSystems
    )
  );

  # A whole key as a file below /etc, which is in the store.
  private = text: text != null && lib.hasInfix "PRIVATE KEY-----" text;
  files = map (name: {
    option = "environment.etc.\"${name}\".text";
    what = "puts a private key into the Nix store";
    remedy = "Have it made on the machine, or put there by sops-nix or agenix.";
  }) (builtins.attrNames (lib.filterAttrs (_: entry: private entry.text) config.environment.etc));
in
copied ++ passwords ++ keys ++ wireless ++ passphrases ++ environments ++ mounts ++ files
