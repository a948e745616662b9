# The thin client in the clinic, as NixOS. Beside it, appliance.yaml says what a rule needs to know and
# Nix has no word for. Where both speak of one thing (accounts, ports, mounts, units) each is compared
# with the machine; for this example a test holds them together.
# Addresses are documentation ranges (RFC 5737); the keys are made up and open nothing.
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
  system.stateVersion = "26.05";

  users.users.clinic-admin = {
    isNormalUser = true;
    extraGroups = [ "wheel" ];
    # For the console and for sudo; made on the machine: mkpasswd -m yescrypt.
    hashedPasswordFile = "/var/lib/secrets/clinic-admin";
  };

  reconciler.baseline = {
    enable = true;
    usb.headless = true;
    ssh.ca = [
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGNsaW5pYy1jYS1vZi10aGUtZXhhbXBsZS1jbGluaWMt clinic-ca"
    ];
    diskEncryption.unlock = {
      authorizedKeys = [
        "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIGV4YW1wbGUta2V5LXRoYXQtb3BlbnMtbm90aGluZy0tAAAABHNzaDo= on-call"
      ];
      modules = [ "r8169" ];
    };
    wireguard = {
      addresses = [ "198.51.100.7/32" ];
      peer = {
        publicKey = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        endpoint = "vpn.example.org:51820";
        allowedIPs = [ "198.51.100.0/28" ];
      };
    };
    journal.upload.url = "https://192.0.2.30:19532";
    backup.jobs.nightly = {
      repository = "sftp:backup@192.0.2.20:/srv/restic/example-clinic";
      paths = [ "/var/lib" ];
      # Put there by sops-nix or agenix, whose module a fleet adds by itself.
      passwordFile = "/run/secrets/restic-nightly";
    };
    updates.caches = {
      urls = [ "https://cache.example.org" ];
      publicKeys = [ "cache.example.org-1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" ];
    };
  };

  # Whom this machine talks to; ask the keeper of each server for its key, and compare.
  programs.ssh.knownHosts = {
    "git.example.org".publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHlvdXItc2VydmVyLWtleS1nb2VzLWhlcmUtLS0tLS0t";
    "evidence.example.org".publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHlvdXItc2VydmVyLWtleS1nb2VzLWhlcmUtLS0tLS0t";
    "192.0.2.20".publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHlvdXItc2VydmVyLWtleS1nb2VzLWhlcmUtLS0tLS0t";
  };

  services.reconciler = {
    intervalS = 300;
    fleet = {
      url = "ssh://git@git.example.org/fleet.git";
      sshKey = "credential:fleet-read";
      knownHosts = "/etc/ssh/ssh_known_hosts";
      pin = "0000000000000000000000000000000000000000";
    };
    credentials = {
      # As `reconciler init` made it; a sealed one is encrypted (docs/keys.md).
      appliance = {
        source = "/var/lib/reconciler/keys/appliance";
        encrypted = false;
      };
      fleet-read.source = "/var/lib/reconciler/keys/fleet-read.cred";
      evidence-push.source = "/var/lib/reconciler/keys/evidence-push.cred";
      desk-hmac.source = "/var/lib/reconciler/keys/desk-hmac.cred";
    };
    evidence = {
      key = "credential:appliance";
      sealS = 3600;
      remote = {
        url = "ssh://git@evidence.example.org/example-clinic.git";
        sshKey = "credential:evidence-push";
        knownHosts = "/etc/ssh/ssh_known_hosts";
      };
      anchors.calendars = [ "https://alice.btc.calendar.opentimestamps.org" ];
      witnesses = [
        {
          name = "hub";
          url = "https://hub.example.org/witness";
          key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGNsaW5pYy1jYS1vZi10aGUtZXhhbXBsZS1jbGluaWMt";
        }
      ];
    };
    notify.desk = {
      kind = "webhook";
      url = "https://desk.example.org/hooks/reconciler";
      secret = "credential:desk-hmac";
    };
    # Systems come from the baseline's caches, and by the releases that name them.
    system = { };
  };
}
