# Options that name the file of a secret: a list of { option; value; }.
{
  config,
  lib,
  options,
}:
let
  inherit (lib) concatMap mapAttrsToList;
  named = option: value: { inherit option value; };
  each =
    under: fields: set:
    concatMap (
      name: map (field: named "${under}.${name}.${field}" (set.${name}.${field} or null)) fields
    ) (builtins.attrNames set);

  # "name:/path", or "/path" with a leading "-" where it may be missing.
  credentials =
    unit: service:
    let
      setting =
        field: map toString (lib.toList (service.serviceConfig.${field} or [ ]));
      path = text: lib.last (lib.splitString ":" text);
    in
    map (text: named "systemd.services.${unit}.serviceConfig.LoadCredential" (path text)) (
      setting "LoadCredential"
    )
    ++ map (text: named "systemd.services.${unit}.serviceConfig.EnvironmentFile" (lib.removePrefix "-" text)) (
      setting "EnvironmentFile"
    );

  tunnels =
    makers:
    let
      under = "networking.${makers}.interfaces";
      inherit (config.networking.${makers}) interfaces;
    in
    each under [ "privateKeyFile" ] interfaces
    ++ concatMap (
      name:
      map (peer: named "${under}.${name}.peers.*.presharedKeyFile" peer.presharedKeyFile) interfaces.${name}.peers
    ) (builtins.attrNames interfaces);

  ssh = config.boot.initrd.network.ssh;
  upload = config.services.journald.upload.settings.Upload;
in
each "users.users" [ "hashedPasswordFile" ] config.users.users
++ each "services.restic.backups" [
  "passwordFile"
  "environmentFile"
  "repositoryFile"
] config.services.restic.backups
++ concatMap tunnels [
  "wireguard"
  "wg-quick"
]
++ each "boot.initrd.luks.devices" [ "keyFile" ] config.boot.initrd.luks.devices
++ mapAttrsToList (name: named "boot.initrd.secrets.\"${name}\"") config.boot.initrd.secrets
++ map (named "boot.initrd.network.ssh.hostKeys") (lib.optionals ssh.enable ssh.hostKeys)
++ map (key: named "services.openssh.hostKeys.*.path" key.path) config.services.openssh.hostKeys
++ [
  (named "services.journald.upload.settings.Upload.ServerKeyFile" (upload.ServerKeyFile or null))
]
++ concatMap (unit: credentials unit config.systemd.services.${unit}) (
  builtins.attrNames config.systemd.services
)
# Decrypted files are the secret; what is encrypted may be in the store.
++ lib.optionals (options ? sops) (
  mapAttrsToList (name: secret: named "sops.secrets.${name}.path" secret.path) config.sops.secrets
  ++ [ (named "sops.age.keyFile" (config.sops.age.keyFile or null)) ]
)
++ lib.optionals (options ? age) (
  mapAttrsToList (name: secret: named "age.secrets.${name}.path" secret.path) config.age.secrets
)
