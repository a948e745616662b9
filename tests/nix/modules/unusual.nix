# Hosts that are unusual and legal, each as the part of the document it is about, or the whole of it.
let
  testing = import ../../../nix/testing { };
  document = import ./document.nix;
  refusals =
    module: testing.refusals (testing.evalSystem { modules = [ ./host.nix module ]; }).config;
  server = openssh: document { services.openssh = { enable = true; } // openssh; };
  settings = import ./sshd-settings.nix;
in
{
  # As it must be for sshd itself to read it.
  sshd = {
    given = settings;
    declared =
      (import ../../../nix/expectations/sshd.nix {
        inherit (testing) lib;
        config.services.openssh = {
          enable = true;
          ports = [ 22 ];
          authorizedKeysFiles = [ "none" ];
          inherit settings;
        };
      }).settings;
  };
  listen =
    map
      (address: (server {
        ports = [ 22 2022 ];
        listenAddresses = [ address ];
      }).sockets)
      [
        { addr = "192.0.2.7"; port = 2200; }
        { addr = "[2001:DB8::7]"; port = 22; }
        { addr = "[2001:db8::7]:2222"; }
        { addr = "fe80::1%eth0"; }
        { addr = "localhost"; port = 22; }
        { addr = "0.0.0.0"; }
        { addr = "::"; port = 22; }
      ];
  sockets =
    (document {
      systemd.sockets = {
        idle.listenStreams = [ "9001" ];
        "each@" = {
          listenStreams = [ "9002" ];
          wantedBy = [ "sockets.target" ];
        };
        works = {
          listenStreams = [ "[2001:DB8::1]:9003" ];
          wantedBy = [ "sockets.target" ];
        };
      };
    }).sockets;
  tunnels =
    (document {
      networking.wg-quick.interfaces = {
        wg0.listenPort = 51821;
        wg1.listenPort = null;
        wg2 = {
          listenPort = 51823;
          autostart = false;
        };
      };
      networking.wireguard.interfaces.wg3.listenPort = 51824;
      systemd.network = {
        enable = true;
        netdevs = {
          wg4.wireguardConfig.ListenPort = 51825;
          wg5.wireguardConfig.ListenPort = "auto";
          br0.netdevConfig.Kind = "bridge";
        };
      };
    }).sockets;
  open =
    (document {
      networking.nftables.enable = true;
      reconciler.expectations.open = [ "tcp/8443" ];
    }).firewall.open;

  swap =
    (document {
      fileSystems."/" = {
        device = "/dev/mapper/root";
        fsType = "ext4";
      };
      boot.initrd.luks.devices.root.device = "/dev/sda2";
      swapDevices = [
        {
          device = "/dev/disk/by-partuuid/12-ab";
          randomEncryption.enable = true;
        }
        { device = "/dev/sda3"; }
        { device = "/var/swap"; }
      ];
    }).swap;
  lvm =
    let
      swapped = { swapDevices = [ { device = "/dev/vg0/swap"; } ]; };
      said = swapped // { reconciler.baseline.diskEncryption.alsoEncrypted = [ "/dev/vg0/swap" ]; };
    in
    map (module: builtins.length (refusals module)) [
      swapped
      said
    ];
  views = builtins.length (refusals {
    fileSystems."/srv" = {
      device = "/var/srv";
      fsType = "none";
      options = [ "rbind" ];
    };
  });
  wrappers =
    (document {
      security.wrappers.mta = {
        program = "sendmail";
        source = "/bin/mta";
        owner = "root";
        group = "root";
        setgid = true;
      };
    }).wrappers;
  without = (document { security.enableWrappers = false; }).wrappers;
  timers =
    (document {
      systemd.timers = {
        once = {
          wantedBy = [ "timers.target" ];
          timerConfig = {
            OnActiveSec = 1;
            RemainAfterElapse = false;
          };
        };
        daily = {
          wantedBy = [ "timers.target" ];
          timerConfig.OnCalendar = "daily";
        };
      };
    }).units.timers;
  backups =
    (document {
      services.borgbackup.jobs.files = { };
      services.borgbackup.jobs.by-hand.startAt = [ ];
      services.restic.backups.nightly = { };
    }).backups;
  cron =
    (document {
      services.cron = {
        enable = true;
        systemCronJobs = [
          ""
          "# what it is for"
          "MAILTO=root"
          "*/5 * * * *  root  first\n@daily root second"
        ];
      };
    }).cron.jobs;

  overlay =
    (document {
      system.etc.overlay.enable = true;
      environment.etc = {
        "linked".source = "/run/linked";
        "copied" = {
          text = "";
          mode = "0440";
        };
      };
    }).etc;

  pam =
    (document {
      security.pam.services.sddm.text = ''
        auth      substack      login
        account   include       login
      '';
      security.pam.services.round.text = ''
        auth include round
        auth required pam_deny.so
      '';
      security.pam.services.login = { };
    }).pam;

  # All that a document may hold and a strict reader could stumble over.
  whole = document (
    { lib, ... }:
    {
      networking.hostName = "front_desk";
      fileSystems."/tmp" = {
        device = "tmpfs";
        fsType = "tmpfs";
        options = [ "size=2G,,nosuid" ];
      };
      fileSystems."/merged" = {
        device = "overlay";
        fsType = "overlay";
        options = [ "lowerdir=${lib.concatMapStringsSep ":" toString (builtins.genList (i: "/layers/with-a-name/${toString i}") 99)}" ];
      };
      services.cron = {
        enable = true;
        systemCronJobs = [ "0 1 * * * root ${lib.concatStrings (builtins.genList (_: "0123456789") 100)}" ];
      };
      services.openssh = {
        enable = true;
        listenAddresses = [
          {
            addr = "[2001:db8::7]";
            port = 22;
          }
        ];
      };
    }
  );
}
