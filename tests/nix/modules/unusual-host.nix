# A host of real NixOS that is unusual and legal in many ways at once; only where nixpkgs is.
{ lib, ... }:
{
  networking = {
    hostName = "front_desk";
    networkmanager = {
      enable = true;
      plugins = lib.mkForce [ ];
    };
    nftables.enable = false;
    firewall = {
      allowedTCPPorts = [ 80 ];
      interfaces.eth0.allowedTCPPorts = [ 9100 ];
      extraCommands = "iptables -A nixos-fw -p tcp --dport 8443 -j nixos-fw-accept";
      trustedInterfaces = [ "br0" ];
    };
    wg-quick.interfaces.wg0 = {
      address = [ "192.0.2.1/32" ];
      listenPort = 51821;
      privateKeyFile = "/run/secrets/wg0";
    };
  };
  reconciler.expectations.open = [ "tcp/8443" ];

  boot.loader.systemd-boot.enable = true;
  boot.initrd.luks.devices = {
    root.device = "/dev/sda2";
    data.device = "/dev/sdb1";
  };
  fileSystems = {
    "/" = {
      device = "/dev/mapper/root";
      fsType = "btrfs";
      options = [ "subvol=root" ];
    };
    "/tmp" = {
      device = "tmpfs";
      fsType = "tmpfs";
      options = [ "size=2G,,nosuid" ];
    };
    "/srv" = {
      device = "/var/srv";
      fsType = "none";
      options = [ "rbind" ];
    };
    "/mnt/scans" = {
      device = "nas.example:/scans";
      fsType = "nfs";
      options = [
        "noauto"
        "x-systemd.automount"
      ];
    };
  };
  swapDevices = [
    {
      device = "/dev/disk/by-partuuid/12-ab";
      randomEncryption.enable = true;
    }
    { device = "/dev/vg0/swap"; }
  ];
  zramSwap.enable = true;

  services = {
    openssh = {
      enable = true;
      startWhenNeeded = true;
      ports = [
        22
        2022
      ];
      listenAddresses = [
        {
          addr = "[2001:db8::7]";
          port = 22;
        }
        { addr = "192.0.2.7"; }
      ];
      settings = {
        AllowUsers = [ "alice" ];
        LoginGraceTime = "1h5m";
        RekeyLimit = "1G 1h";
      };
    };
    chrony.enable = true;
    cron = {
      enable = true;
      systemCronJobs = [
        "# what it is for"
        "MAILTO=root"
        "@daily root true"
      ];
    };
    borgbackup.jobs.files = {
      paths = [ "/srv" ];
      repo = "borg@backup.example:files";
      encryption.mode = "none";
    };
    restic.backups.by-hand = {
      repository = "sftp:backup@backup.example:/srv";
      passwordFile = "/run/secrets/restic";
      timerConfig = null;
    };
  };
  security.acme = {
    acceptTerms = true;
    defaults.email = "admin@example.org";
    certs."www.example.org".webroot = "/var/www";
  };
  security.wrappers.mta = {
    program = "sendmail";
    source = "/bin/mta";
    owner = "root";
    group = "root";
    setgid = true;
  };

  users.users.alice = {
    isNormalUser = true;
    initialPassword = "";
    openssh.authorizedKeys.keys = [
      ''no-pty,command="echo ssh-rsa AAAA" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE4oCfavx4qDaf7zjorHrYj/ikWSzD7/2i4zV5qKi4e+ a''
    ];
  };
  systemd = {
    services = {
      off.enable = false;
      "each@".script = "true";
      named = {
        script = "exec sleep inf";
        wantedBy = [ "multi-user.target" ];
        aliases = [ "nick.service" ];
      };
    };
    user.services.own = {
      script = "true";
      wantedBy = [ "default.target" ];
    };
    timers.alone = {
      wantedBy = [ "timers.target" ];
      timerConfig = {
        OnCalendar = "daily";
        Unit = "named.service";
      };
    };
    sockets.idle.listenStreams = [ "9001" ];
  };
  boot.kernel.sysctl."net.ipv4.conf.eth0/10.rp_filter" = 1;
  system.stateVersion = "26.05";
}
