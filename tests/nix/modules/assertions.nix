# Configurations that are refused although every value has its type: what each of them says.
{ lib }:
let
  inherit (lib) mkForce;
  b = settings: { reconciler.baseline = settings; };
  withoutAdmin.users.users.clinic-admin.extraGroups = mkForce [ ];
  openTo = option: value: { networking.firewall.${option} = value; };
in
{
  "accounts: no administrator is declared" = withoutAdmin;
  "accounts: no administrator has a password" = {
    users.users.clinic-admin.hashedPasswordFile = mkForce null;
  };
  "accounts: root has SSH keys" = {
    users.users.root.openssh.authorizedKeys.keys = [ "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1l x" ];
  };
  "accounts: root has SSH keys (users" = {
    users.users.root.openssh.authorizedKeys.keyFiles = [ ./keys.pub ];
  };
  "audit: no rule" = b { audit.rules = mkForce [ ]; };
  "backup: no job" = b { backup.jobs = mkForce { }; };
  "backup: the repository of job nightly holds a password" = b {
    backup.jobs.nightly.repository = mkForce "rest:https://u:p@192.0.2.20/";
  };
  "diskEncryption: no LUKS device" = {
    boot.initrd.luks.devices = mkForce { };
  };
  "diskEncryption: not on LUKS: /srv" = {
    fileSystems."/srv" = {
      device = "/dev/sdb1";
      fsType = "ext4";
    };
  };
  "diskEncryption: swap is not encrypted: /dev/sda3" = {
    swapDevices = [ { device = "/dev/sda3"; } ];
  };
  "diskEncryption: nobody can unlock" = b {
    diskEncryption.unlock.authorizedKeys = mkForce [ ];
  };
  "diskEncryption: the host key of the initrd" = b {
    diskEncryption.unlock.hostKey = "${builtins.storeDir}/0000000000000000000000000000000a-key";
  };
  "firewall: open to every network: 8080" = openTo "allowedTCPPorts" [ 8080 ];
  "firewall: whole ranges" = openTo "allowedUDPPortRanges" [
    {
      from = 60000;
      to = 61000;
    }
  ];
  "firewall: networking.firewall.trustedInterfaces lets everything in from lan0" =
    openTo "trustedInterfaces" [ "lan0" ];
  "journal: no collector" = b { journal.upload.url = mkForce null; };
  "secrets: reconciler.baseline.secrets.directory" = b {
    secrets.directory = "${builtins.storeDir}/0000000000000000000000000000000a-secrets";
  };
  "ssh: no CA" = b { ssh.ca = mkForce [ ]; };
  "ssh: plain SSH keys are declared for clinic-admin" = {
    users.users.clinic-admin.openssh.authorizedKeys.keys = [
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE4oCfavx4qDaf7zjorHrYj/ikWSzD7/2i4zV5qKi4e+ x"
    ];
  };
  "ssh: plain SSH keys are declared for clinic-admin. Give" = {
    users.users.clinic-admin.openssh.authorizedKeys.keyFiles = [ ./keys.pub ];
  };
  "time: fewer than three sources" = b {
    time.sources = mkForce [
      "192.0.2.1"
      "192.0.2.1"
      "192.0.2.2"
    ];
  };
  "updates: system.autoUpgrade.enable is on" = {
    system.autoUpgrade.enable = true;
  };
  "updates: other caches, keys or users than declared here would count: extra-substituters" = {
    nix.settings.extra-substituters = [ "https://cache.example.org" ];
  };
  "updates: other caches, keys or users than declared here would count: trusted-users = me" = {
    nix.extraOptions = "trusted-users = me";
  };
  "updates: no cache" = b { updates.caches.publicKeys = mkForce [ ]; };
  "updates: services.reconciler.enable is off" = {
    options.services.reconciler.enable = lib.mkEnableOption "the reconciler";
  };
  "usb: no rule" = b { usb.rules = mkForce [ ]; };
  "wireguard: this machine has no address" = b { wireguard.addresses = mkForce [ ]; };
  "wireguard: the MSP's end" = b { wireguard.peer.publicKey = mkForce null; };
  "wireguard: the tunnel takes all traffic" = b {
    wireguard.peer.allowedIPs = mkForce [ "0.0.0.0/0" ];
  };
}
