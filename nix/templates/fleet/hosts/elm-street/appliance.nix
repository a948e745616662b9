# What only this machine has.
{
  boot.loader.systemd-boot.enable = true;
  boot.loader.efi.canTouchEfiVariables = true;
  boot.initrd.luks.devices.root.device = "/dev/disk/by-label/crypt";

  fileSystems."/" = {
    device = "/dev/mapper/root";
    fsType = "ext4";
  };
  fileSystems."/boot" = {
    device = "/dev/disk/by-label/BOOT";
    fsType = "vfat";
    options = [ "umask=0077" ];
  };

  networking.useNetworkd = true;
  time.timeZone = "America/New_York";

  reconciler.baseline = {
    usb.headless = true;
    diskEncryption.unlock = {
      authorizedKeys = [
        "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIHlvdXItb24tY2FsbC1rZXktZ29lcy1oZXJlLS0tAAAABHNzaDo= on-call"
      ];
      modules = [ "r8169" ];
    };
    wireguard.addresses = [ "198.51.100.7/32" ];
    backup.jobs.nightly = {
      repository = "sftp:backup@192.0.2.20:/srv/restic/elm-street";
      paths = [ "/var/lib" ];
    };
  };

  # A commit that you checked by hand: trust begins there.
  services.reconciler.fleet.pin = "0000000000000000000000000000000000000000";
}
