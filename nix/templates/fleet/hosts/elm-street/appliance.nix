# What only this machine has.
{
  # The disk: one LUKS container, one btrfs in it, with the installer's labels.
  boot.loader.systemd-boot.enable = true;
  boot.loader.efi.canTouchEfiVariables = true;
  boot.initrd.luks.devices.root.device = "/dev/disk/by-label/crypt";

  fileSystems =
    let
      part = name: {
        device = "/dev/mapper/root";
        fsType = "btrfs";
        options = [
          "subvol=${name}"
          "compress=zstd"
          "noatime"
        ];
      };
    in
    {
      "/" = part "root";
      "/nix" = part "nix";
      "/var" = part "var" // {
        neededForBoot = true;
      };
      "/boot" = {
        device = "/dev/disk/by-label/BOOT";
        fsType = "vfat";
        options = [
          "umask=0077"
          "nosuid"
          "nodev"
          "noexec"
        ];
      };
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
      repository = "sftp:backup@192.0.2.20:/srv/restic/example-clinic";
      paths = [ "/var/lib" ];
      passwordFile = "/run/secrets/restic-nightly";
    };
  };

  # A commit that you checked by hand: trust begins there.
  services.reconciler.fleet.pin = "0000000000000000000000000000000000000000";
}
