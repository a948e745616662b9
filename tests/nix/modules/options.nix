# For every option of the baseline a value that is good and no default, and one that is refused.
let
  key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE4oCfavx4qDaf7zjorHrYj/ikWSzD7/2i4zV5qKi4e+ x";
  between = low: high: {
    good = low;
    bad = [
      (low - 1)
      (high + 1)
      "1"
    ];
  };
  flag = good: {
    inherit good;
    bad = [
      "yes"
      1
    ];
  };
  path = {
    good = "/srv/other";
    bad = [
      "srv/other"
      7
    ];
  };
  paths = {
    good = [ "/srv/other" ];
    bad = [
      "/srv/other"
      [ "srv" ]
    ];
  };
  port = {
    good = 4242;
    bad = [
      65536
      (-1)
      "22"
    ];
  };
  text = {
    good = "Mon 04:00";
    bad = [
      ""
      4
    ];
  };
in
{
  "accounts.enable" = flag true;
  "accounts.lockout.services" = {
    good = [
      "login"
      "sshd"
      "su"
    ];
    bad = [ [ "../login" ] ];
  };
  "accounts.lockout.deny" = between 1 3;
  "accounts.lockout.failInterval" = between 60 900;
  "accounts.lockout.unlockTime" = between 60 86400;
  "accounts.sudo.timeoutMinutes" = between 0 5 // {
    good = 5;
  };
  "antivirus.enable" = flag true;
  "antivirus.updatesPerDay" = between 1 24;
  "antivirus.scan.directories" = paths // {
    good = [ ];
  };
  "antivirus.scan.at" = text;
  "antivirus.memoryMebibytes" = between 1024 8192;
  "audit.enable" = flag true;
  "audit.rules" = {
    good = [ "-w /etc/hosts -p wa -k net" ];
    bad = [ [ "w /etc/hosts" ] ];
  };
  "audit.backlogLimit" = between 8192 65536 // {
    good = 65536;
  };
  "audit.maxLogMebibytes" = between 64 16384;
  "backup.enable" = flag true;
  "backup.jobs" = {
    good.weekly = {
      repository = "s3:https://s3.example.net/clinic";
      environmentFile = "/run/secrets/s3";
      paths = [ "/srv" ];
      keep.daily = 7;
    };
    bad = [
      {
        local = {
          repository = "/mnt/usb";
          paths = [ "/srv" ];
        };
      }
      {
        nothing = {
          repository = "s3:x";
          paths = [ ];
        };
      }
      {
        seldom = {
          repository = "s3:x";
          paths = [ "/srv" ];
          keep.daily = 6;
        };
      }
      {
        relative = {
          repository = "s3:x";
          paths = [ "/srv" ];
          passwordFile = "secret";
        };
      }
    ];
  };
  "diskEncryption.enable" = flag true;
  "diskEncryption.exempt" = paths // {
    good = [
      "/boot"
      "/srv/scratch"
    ];
  };
  "diskEncryption.alsoEncrypted" = paths;
  "diskEncryption.unlock.enable" = flag false;
  "diskEncryption.unlock.port" = port;
  "diskEncryption.unlock.authorizedKeys" = {
    good = [ key ];
    bad = [
      [ "key" ]
      [ ''command="sh" ${key}'' ]
    ];
  };
  "diskEncryption.unlock.hostKey" = path;
  "diskEncryption.unlock.modules" = {
    good = [ "r8169" ];
    bad = [ "r8169" ];
  };
  "firewall.enable" = flag true;
  "firewall.ping" = flag false;
  "firewall.logRefused" = flag false;
  "firewall.mayOpen" = {
    good = [ 443 ];
    bad = [
      [ 70000 ]
      443
    ];
  };
  "journal.enable" = flag true;
  "journal.maxMebibytes" = between 64 1048576;
  "journal.keepDays" = between 30 3660;
  "journal.upload.enable" = flag false;
  "journal.upload.url" = {
    good = "https://collector.example.net:19532";
    bad = [
      "http://192.0.2.30:19532"
      "192.0.2.30"
    ];
  };
  "journal.upload.certificate" = path;
  "journal.upload.key" = path;
  "journal.upload.authority" = path;
  "kernel.enable" = flag true;
  "kernel.blockedModules" = {
    good = [ "dccp" ];
    bad = [ [ "../dccp" ] ];
  };
  "kernel.lockModules" = flag true;
  "kernel.appArmor" = flag false;
  "secrets.enable" = flag true;
  "secrets.provider" = {
    good = "agenix";
    bad = [ "vault" ];
  };
  "secrets.directory" = path;
  "secrets.exempt" = {
    good = [ "systemd.services.x.environment.API_TOKEN" ];
    bad = [ [ "" ] ];
  };
  "sessions.enable" = flag true;
  "sessions.idleSeconds" = between 60 900;
  "ssh.enable" = flag true;
  "ssh.ca" = {
    good = [ key ];
    bad = [ [ "ssh-dss" ] ];
  };
  "ssh.hostCertificate" = path;
  "ssh.port" = port;
  "ssh.interfaces" = {
    good = [ "lan0" ];
    bad = [ [ "" ] ];
  };
  "ssh.allowKeys" = flag true;
  "ssh.deadAfterSeconds" = between 30 600;
  "time.enable" = flag true;
  "time.sources" = {
    good = [
      "192.0.2.1"
      "192.0.2.2"
      "192.0.2.3"
    ];
    bad = [ [ "a b" ] ];
  };
  "time.nts" = flag false;
  "updates.enable" = flag true;
  "updates.lockFile" = {
    good = ./options.nix;
    bad = [ "flake.lock" ];
  };
  "updates.caches.urls" = {
    good = [
      "https://cache.example.org"
      "ssh-ng://cache.example.org"
    ];
    bad = [
      [ "http://cache.example.org" ]
      [ "ssh://cache.example.org" ]
    ];
  };
  "updates.caches.publicKeys" = {
    good = [ "x-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=" ];
    bad = [ [ "6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=" ] ];
  };
  "updates.keepGenerationsDays" = between 14 365;
  "updates.collectAt" = text;
  "usb.enable" = flag true;
  "usb.rules" = {
    good = [ "allow id 1d6b:0002" ];
    bad = [ [ "accept id 1d6b:0002" ] ];
  };
  "usb.headless" = flag true;
  "wireguard.enable" = flag true;
  "wireguard.interface" = {
    good = "wg0";
    bad = [
      "WG0"
      "a-name-that-is-too-long"
    ];
  };
  "wireguard.addresses" = {
    good = [ "2001:db8::7/128" ];
    bad = [ [ "198.51.100.7" ] ];
  };
  "wireguard.privateKeyFile" = path;
  "wireguard.port" = port;
  "wireguard.peer.publicKey" = {
    good = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
    bad = [ "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg" ];
  };
  "wireguard.peer.endpoint" = {
    good = "[2001:db8::1]:51820";
    bad = [ "vpn.example.net" ];
  };
  "wireguard.peer.allowedIPs" = {
    good = [ "192.0.2.0/28" ];
    bad = [ "192.0.2.0/28" ];
  };
}
