# Accounts: declared ones only, root without a password, sudo that asks again, lockout.
# Controls: 45 CFR 164.312(a)(2)(i), 164.312(d), 164.308(a)(5)(ii)(C), (D), 164.308(a)(3)(ii)(C).
{ config, lib, ... }:
let
  cfg = config.reconciler.baseline.accounts;
  title = "Accounts are those declared, and lock after repeated failures";
  module = "${config.security.pam.package}/lib/security/pam_faillock.so";

  # preauth refuses a locked account, authfail counts, and the account line sets the count back.
  # Orders are relative to the password rule of the release: constants could fall out of order.
  lockout =
    service:
    let
      password = config.security.pam.services.${service}.rules.auth.unix.order;
    in
    {
      rules.auth.reconciler-preauth = {
        order = password - 10;
        control = "required";
        modulePath = module;
        args = lib.mkForce [ "preauth" ];
      };
      rules.auth.reconciler-authfail = {
        order = password + 10;
        control = "[default=die]";
        modulePath = module;
        args = lib.mkForce [ "authfail" ];
      };
      rules.account.reconciler-faillock = {
        order = config.security.pam.services.${service}.rules.account.unix.order - 10;
        control = "required";
        modulePath = module;
        args = lib.mkForce [ ];
      };
    };

  rootKeys = config.users.users.root.openssh.authorizedKeys;
  humans = lib.filterAttrs (_: u: u.isNormalUser) config.users.users;
  isAdmin =
    name: user:
    builtins.elem "wheel" user.extraGroups || builtins.elem name config.users.groups.wheel.members;
  admins = lib.filterAttrs isAdmin humans;
in
{
  imports = [ ./common.nix ];

  options.reconciler.baseline.accounts = {
    enable = import ./switch.nix { inherit config lib; } title;
    lockout = {
      services = lib.mkOption {
        type = lib.types.listOf (lib.types.strMatching "[a-z0-9][a-z0-9_.-]*");
        default = [
          "login"
          "sshd"
        ];
        description = "PAM services that lock an account.";
      };
      deny = lib.mkOption {
        type = lib.types.ints.between 1 3;
        default = 3;
        description = "Failures in a row that lock an account.";
      };
      failInterval = lib.mkOption {
        type = lib.types.ints.between 60 900;
        default = 900;
        description = "Seconds in which failures count.";
      };
      # 0 (a person has to unlock) is a way to keep a clinic from working, so it is not offered.
      unlockTime = lib.mkOption {
        type = lib.types.ints.between 60 86400;
        default = 600;
        description = "Seconds after which a locked account opens again.";
      };
    };
    sudo.timeoutMinutes = lib.mkOption {
      type = lib.types.ints.between 0 5;
      default = 0;
      description = "Minutes for which one password counts; 0 asks each time.";
    };
  };

  config = lib.mkMerge [
    {
      reconciler.baseline.safeguards.accounts = {
        enabled = cfg.enable;
        inherit title;
        controls = [
          "hipaa:164.312(a)(2)(i)"
          "hipaa:164.312(d)"
          "hipaa:164.308(a)(3)(ii)(C)"
          "hipaa:164.308(a)(5)(ii)(C)"
          "hipaa:164.308(a)(5)(ii)(D)"
          "nist-800-53r5:AC-2"
          "nist-800-53r5:AC-7"
          "nist-800-53r5:IA-11"
        ];
        checks = [
          "LNX-AUTH-002"
          "LNX-AUTH-003"
          "LNX-AUTH-006"
          "LNX-PRIV-001"
        ];
      };
    }
    (lib.mkIf cfg.enable {
      users.mutableUsers = false;
      users.users.root.hashedPassword = "!";

      security.sudo = {
        enable = true;
        execWheelOnly = true;
        wheelNeedsPassword = true;
        extraConfig = "Defaults timestamp_timeout=${toString cfg.sudo.timeoutMinutes}";
      };

      security.pam.services = lib.genAttrs cfg.lockout.services lockout;
      environment.etc."security/faillock.conf".text = ''
        deny = ${toString cfg.lockout.deny}
        fail_interval = ${toString cfg.lockout.failInterval}
        unlock_time = ${toString cfg.lockout.unlockTime}
      '';

      services.getty.autologinUser = null;

      assertions = [
        {
          assertion = admins != { };
          message = "reconciler.baseline.accounts: no administrator is declared. Put a normal user into the group wheel (users.users.<name>.extraGroups), or nobody can mend this machine by hand.";
        }
        {
          # sudo asks for one, and so does the console when the network is gone.
          assertion = admins == { } || builtins.any (u: u.hashedPasswordFile != null) (builtins.attrValues admins);
          message = "reconciler.baseline.accounts: no administrator has a password, so nobody can use sudo or the console. Set users.users.<name>.hashedPasswordFile to a path on the machine; over SSH it opens nothing.";
        }
        {
          assertion = rootKeys.keys == [ ] && rootKeys.keyFiles == [ ];
          message = "reconciler.baseline.accounts: root has SSH keys (users.users.root.openssh.authorizedKeys). What is done as root must have a name: give the key to a person's account.";
        }
      ];
    })
  ];
}
