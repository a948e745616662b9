# Configurations that would put a secret into the Nix store: the option that each message names.
{ lib }:
let
  store = "${builtins.storeDir}/0000000000000000000000000000000a-secret";
  user = field: value: { users.users.clinic-admin.${field} = lib.mkForce value; };
  unit = settings: { systemd.services.demo = settings; };
in
{
  "users.users.clinic-admin.hashedPasswordFile" = user "hashedPasswordFile" store;
  "users.users.clinic-admin.hashedPassword" = user "hashedPassword" "$y$j9T$x$y";
  "users.users.clinic-admin.initialHashedPassword" = user "initialHashedPassword" "$6$x$y";
  "users.users.clinic-admin.initialPassword" = user "initialPassword" "changeme";
  "users.users.clinic-admin.password" = user "password" "changeme";
  "services.restic.backups.nightly.passwordFile" = {
    reconciler.baseline.backup.jobs.nightly.passwordFile = store;
  };
  "services.restic.backups.nightly.environmentFile" = {
    reconciler.baseline.backup.jobs.nightly.environmentFile = store;
  };
  "networking.wireguard.interfaces.wg-msp.privateKeyFile" = {
    reconciler.baseline.wireguard.privateKeyFile = store;
  };
  "networking.wireguard.interfaces.wg1.privateKey" = {
    networking.wireguard.interfaces.wg1.privateKey = "x";
  };
  "networking.wireguard.interfaces.wg1.peers.*.presharedKey" = {
    networking.wireguard.interfaces.wg1.peers = [
      {
        publicKey = "x";
        allowedIPs = [ ];
        presharedKey = "x";
      }
    ];
  };
  "networking.wireguard.interfaces.wg1.peers.*.presharedKeyFile" = {
    networking.wireguard.interfaces.wg1.peers = [
      {
        publicKey = "x";
        allowedIPs = [ ];
        presharedKeyFile = store;
      }
    ];
  };
  "networking.wg-quick.interfaces.wg2.privateKey" = {
    networking.wg-quick.interfaces.wg2.privateKey = "x";
  };
  "networking.wg-quick.interfaces.wg2.privateKeyFile" = {
    networking.wg-quick.interfaces.wg2.privateKeyFile = store;
  };
  "networking.wireless.networks.\"clinic\".psk" = {
    networking.wireless.networks = {
      clinic.psk = "x";
      other.pskRaw = "ext:other";
    };
  };
  "services.borgbackup.jobs.files.encryption.passphrase" = {
    services.borgbackup.jobs.files.encryption.passphrase = "x";
  };
  "boot.initrd.luks.devices.root.keyFile" = {
    boot.initrd.luks.devices.root.keyFile = store;
  };
  "boot.initrd.secrets.\"/key\"" = {
    boot.initrd.secrets."/key" = ./secrets.nix;
  };
  "boot.initrd.network.ssh.hostKeys" = {
    boot.initrd.network.ssh.hostKeys = [ ./secrets.nix ];
  };
  "services.openssh.hostKeys.*.path" = {
    services.openssh.hostKeys = [
      {
        type = "ed25519";
        path = store;
      }
    ];
  };
  "services.journald.upload.settings.Upload.ServerKeyFile" = {
    reconciler.baseline.journal.upload.key = store;
  };
  "systemd.services.demo.serviceConfig.LoadCredential" = unit {
    serviceConfig.LoadCredential = [ "token:${store}" ];
  };
  "systemd.services.demo.serviceConfig.EnvironmentFile" = unit {
    serviceConfig.EnvironmentFile = "-${store}";
  };
  "fileSystems.\"/srv\".options" = {
    fileSystems."/srv" = {
      device = "//192.0.2.9/share";
      fsType = "cifs";
      options = [
        "ro"
        "username=u,password=u:p@x"
      ];
    };
  };
  "systemd.services.demo.environment.API_TOKEN" = unit { environment.API_TOKEN = "x"; };
  "environment.etc.\"demo.key\".text" = {
    environment.etc."demo.key".text = "-----BEGIN EC PRIVATE KEY-----"; # pragma: allowlist secret
  };
  "sops.secrets.demo.path" = {
    options.sops = {
      secrets = lib.mkOption { type = lib.types.attrs; };
      age.keyFile = lib.mkOption {
        type = lib.types.nullOr lib.types.str;
        default = null;
      };
    };
    config.sops.secrets.demo.path = store;
  };
  "age.secrets.demo.path" = {
    options.age.secrets = lib.mkOption { type = lib.types.attrs; };
    config.age.secrets.demo.path = store;
  };
}
