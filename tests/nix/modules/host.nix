# An appliance with every safeguard on, and all that the safeguards ask for. Keys are examples.
{
  imports = [
    ../../../nix/modules/baseline
    ../../../nix/modules/expectations.nix
  ];

  reconciler.baseline = {
    enable = true;
    ssh.ca = [
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE4oCfavx4qDaf7zjorHrYj/ikWSzD7/2i4zV5qKi4e+ user-ca"
    ];
    diskEncryption.unlock.authorizedKeys = [
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE4oCfavx4qDaf7zjorHrYj/ikWSzD7/2i4zV5qKi4e+ on-call"
    ];
    backup.jobs.nightly = {
      repository = "sftp:backup@192.0.2.20:/srv/restic/example-clinic";
      paths = [ "/var/lib" ];
    };
    journal.upload.url = "https://192.0.2.30:19532";
    updates.caches = {
      urls = [ "https://cache.example.net" ];
      publicKeys = [ "cache.example.net-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=" ];
    };
    usb.rules = [ "allow id 046d:c31c" ];
    wireguard = {
      addresses = [ "198.51.100.7/32" ];
      peer = {
        publicKey = "6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=";
        endpoint = "vpn.example.net:51820";
        allowedIPs = [ "198.51.100.0/28" ];
      };
    };
  };

  networking.hostName = "appliance";
  boot.initrd.luks.devices.root.device = "/dev/disk/by-uuid/4f0b6c0e-4a34-4b0c-9d7a-0a1f3f0c9f11";
  fileSystems."/" = {
    device = "/dev/mapper/root";
    fsType = "ext4";
  };
  fileSystems."/boot" = {
    device = "/dev/disk/by-label/ESP";
    fsType = "vfat";
    options = [ "umask=0077" ];
  };
  users.users.clinic-admin = {
    isNormalUser = true;
    uid = 1000;
    extraGroups = [ "wheel" ];
    hashedPasswordFile = "/var/lib/secrets/clinic-admin";
  };
}
