# What all of your appliances have in common. Everything here is an example to replace.
{
  reconciler.baseline = {
    enable = true;
    ssh.ca = [
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHlvdXItY2Etb2YtdGhlLW1zcC1nb2VzLWhlcmUtLS0t msp-ca"
    ];
    wireguard.peer = {
      publicKey = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
      endpoint = "vpn.example.org:51820";
      allowedIPs = [ "198.51.100.0/28" ];
    };
    journal.upload.url = "https://logs.example.org:19532";
    updates.caches = {
      urls = [ "https://cache.example.org" ];
      publicKeys = [ "cache.example.org-1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" ];
    };
  };

  # Whom this machine talks to; ask the keeper of each server for its key, and compare.
  programs.ssh.knownHosts = {
    "git.example.org".publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHlvdXItc2VydmVyLWtleS1nb2VzLWhlcmUtLS0tLS0t";
    "192.0.2.20".publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHlvdXItc2VydmVyLWtleS1nb2VzLWhlcmUtLS0tLS0t";
  };

  services.reconciler = {
    fleet = {
      url = "ssh://git@git.example.org/fleet.git";
      sshKey = "credential:fleet-read";
      knownHosts = "/etc/ssh/ssh_known_hosts";
    };
    credentials.fleet-read.source = "/var/lib/reconciler/keys/fleet-read.cred";
    # Systems come from the baseline's caches, and by the releases that name them.
    system = { };
  };

  users.users.clinic-admin = {
    isNormalUser = true;
    extraGroups = [ "wheel" ];
    # For the console and for sudo; made on the machine: mkpasswd -m yescrypt.
    hashedPasswordFile = "/var/lib/secrets/clinic-admin";
  };

  system.stateVersion = "26.05";
}
