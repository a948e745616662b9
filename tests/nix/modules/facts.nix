# Single facts that a document has to get right, each as the part of the document it is about.
let
  document = import ./document.nix;
  key = "AAAAC3NzaC1lZDI1NTE5AAAAIE4oCfavx4qDaf7zjorHrYj/ikWSzD7/2i4zV5qKi4e+";
  withKeys = keys: (document { users.users.root.openssh.authorizedKeys.keys = keys; }).keys;
  wrapper =
    settings:
    let
      found = builtins.filter (w: w.name == "w") (
        document {
          security.wrappers.w = {
            source = "/bin/w";
            owner = "root";
            group = "root";
          }
          // settings;
        }
      ).wrappers;
    in
    (builtins.head found).mode;
  run = module: (document module).units.run;
  service = settings: {
    systemd.services.demo = {
      wantedBy = [ "multi-user.target" ];
      serviceConfig.ExecStart = "/bin/demo";
    }
    // settings;
  };
  auditing.ConditionKernelCommandLine = [
    "!audit=0"
    "!audit=off"
  ];
  sshd = settings: (document { services.openssh = { enable = true; } // settings; }).sshd.settings;
in
{
  keys = {
    plain = withKeys [ "ssh-ed25519 ${key} jane" ];
    options = withKeys [ ''from="192.0.2.0/24",command="echo ssh-rsa AAAAB3Nza" ssh-ed25519 ${key} jane'' ];
    comment = withKeys [
      "# ssh-ed25519 ${key}"
      ""
    ];
    twice = withKeys [
      "ssh-ed25519 ${key} jane"
      "ssh-ed25519 ${key} joe"
    ];
    file = (document { users.users.root.openssh.authorizedKeys.keyFiles = [ ./keys.pub ]; }).keys;
    broken = (builtins.tryEval (builtins.deepSeq (withKeys [ "ssh-ed25519" ]) true)).success;
  };
  modes = {
    setuid = wrapper { setuid = true; };
    both = wrapper {
      setuid = true;
      setgid = true;
      permissions = "u+rwx,g=rx";
    };
    taken = wrapper { permissions = "a+rx,o-rx"; };
    octal = wrapper {
      permissions = "0750";
      setgid = true;
    };
    unknown = (builtins.tryEval (wrapper { permissions = "u+X"; })).success;
  };
  sshd = {
    names = sshd { };
    lists = sshd {
      settings = {
        AllowGroups = [
          "a"
          "b"
        ];
        Ciphers = [
          "x"
          "y"
        ];
        ClientAliveInterval = "10m";
        PermitRootLogin = "prohibit-password";
        LogLevel = null;
      };
    };
    off = (document { }).sshd;
    addresses =
      (document {
        services.openssh = {
          enable = true;
          listenAddresses = [
            {
              addr = "192.0.2.7";
              port = 2022;
            }
            { addr = "2001:db8::7"; }
          ];
        };
      }).sockets;
  };
  units = {
    simple = run (service { });
    oneshot = run (service {
      serviceConfig = {
        ExecStart = "/bin/demo";
        Type = "oneshot";
      };
    });
    remains = run (service {
      serviceConfig = {
        ExecStart = "/bin/demo";
        Type = "oneshot";
        RemainAfterExit = "yes";
      };
    });
    conditioned = run (service { unitConfig.ConditionPathExists = "/x"; });
    askedAtStart = run (service { serviceConfig = { ExecStart = "/bin/demo"; ExecCondition = "/bin/ask"; }; });
    notInContainers = run (service { unitConfig.ConditionVirtualization = "!container"; });
    withAudit = run (service { unitConfig = auditing; });
    withoutAudit = run {
      imports = [ (service { unitConfig = auditing; }) ];
      boot.kernelParams = [ "audit=off" ];
    };
    askedFor = run {
      imports = [ (service { unitConfig.ConditionKernelCommandLine = "demo"; }) ];
      boot.kernelParams = [ "demo" ];
    };
    unwanted = run (service { wantedBy = [ ]; });
    disabled = run (service { enable = false; });
    added = run (service { serviceConfig = { }; });
    byTarget = run {
      systemd.targets.own.wantedBy = [ "multi-user.target" ];
      systemd.services.demo = {
        requiredBy = [ "own.target" ];
        serviceConfig.ExecStart = "/bin/demo";
      };
    };
    byService = run {
      systemd.services.first = {
        wantedBy = [ "multi-user.target" ];
        requires = [ "demo.service" ];
        serviceConfig.ExecStart = "/bin/first";
      };
      systemd.services.demo.serviceConfig.ExecStart = "/bin/demo";
    };
    scheduled = (document (service {
      wantedBy = [ ];
      startAt = "daily";
    })).units.timers;
    template = (document { systemd.services."demo@".wantedBy = [ "multi-user.target" ]; }).units;
  };
  time = {
    own = (document { }).time;
    chrony = (document { services.chrony.enable = true; }).time;
    ntp = (document { services.ntp.enable = true; }).time;
    none = (document { services.timesyncd.enable = false; }).time;
  };
  container = document { boot.isContainer = true; };
  secrets = document {
    users.users.root.hashedPasswordFile = "/run/secrets/root-hash";
    users.users.demo = {
      isNormalUser = true;
      initialPassword = "s3cr3t-initial";
      hashedPassword = "$y$j9T$s3cr3t-hash";
    };
    services.restic.backups.nightly = {
      repository = "rest:https://user:s3cr3t-repo@192.0.2.1/";
      passwordFile = "/run/secrets/restic";
    };
    networking.wireguard.interfaces.wg0.privateKey = "s3cr3t-key";
    systemd.services.demo.environment.TOKEN = "s3cr3t-token";
    environment.etc."demo.conf".text = "s3cr3t-text";
    fileSystems."/srv" = {
      device = "//192.0.2.1/share";
      fsType = "cifs";
      options = [
        "ro"
        "username=u,password=s3cr3t-mount"
      ];
    };
  };
}
