# security.*
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  flag =
    default:
    mkOption {
      type = types.bool;
      inherit default;
    };

  rule =
    { name, ... }:
    {
      options = {
        name = mkOption {
          type = types.str;
          default = name;
        };
        enable = flag true;
        order = mkOption { type = types.int; };
        control = mkOption { type = types.str; };
        modulePath = mkOption { type = types.str; };
        args = mkOption {
          type = types.listOf types.str;
          default = [ ];
        };
      };
    };
  rules = mkOption {
    type = types.attrsOf (types.submodule rule);
    default = { };
  };
  stacks = [
    "account"
    "auth"
    "password"
    "session"
  ];
  service =
    { name, config, ... }:
    let
      line =
        stack: r:
        builtins.concatStringsSep " " ([ stack r.control r.modulePath ] ++ r.args);
      inStack =
        stack:
        map (line stack) (
          builtins.sort (a: b: a.order < b.order) (
            builtins.filter (r: r.enable) (builtins.attrValues config.rules.${stack})
          )
        );
      unix = order: control: {
        inherit order control;
        modulePath = "${pkgs.pam}/lib/security/pam_unix.so";
      };
    in
    {
      options = {
        enable = flag true;
        name = mkOption {
          type = types.str;
          default = name;
        };
        unixAuth = flag true;
        rules = lib.genAttrs stacks (_: rules);
        text = mkOption {
          type = types.nullOr types.lines;
          default = lib.concatLines (lib.concatMap inStack stacks);
        };
      };
      config.rules = {
        account.unix = unix 10900 "required";
        auth.unix = unix 11700 "sufficient" // {
          enable = config.unixAuth;
        };
        auth.deny = unix 12500 "required" // {
          modulePath = "${pkgs.pam}/lib/security/pam_deny.so";
        };
      };
    };

  wrapper =
    { name, ... }:
    {
      options = {
        enable = flag true;
        program = mkOption {
          type = types.nullOr types.str;
          default = name;
        };
        source = mkOption { type = types.path; };
        owner = mkOption { type = types.str; };
        group = mkOption { type = types.str; };
        permissions = mkOption {
          type = types.strMatching "[ugoa]*([-+=]([rwxXst]*|[ugo]))+(,[ugoa]*([-+=]([rwxXst]*|[ugo]))+)*|[-+=]?[0-7]{0,4}";
          default = "u+rx,g+x,o+x";
        };
        capabilities = mkOption {
          type = types.commas;
          default = "";
        };
        setuid = flag false;
        setgid = flag false;
      };
    };
in
{
  options.security = {
    sudo = {
      enable = flag true;
      execWheelOnly = flag false;
      wheelNeedsPassword = flag true;
      extraConfig = mkOption {
        type = types.lines;
        default = "";
      };
    };
    pam = {
      package = lib.mkPackageOption pkgs "pam" { };
      services = mkOption {
        type = types.attrsOf (types.submodule service);
        default = { };
      };
    };
    enableWrappers = flag true;
    wrappers = mkOption {
      type = types.attrsOf (types.submodule wrapper);
      default = { };
    };
    audit = {
      enable = mkOption {
        type = types.enum [
          false
          true
          "lock"
        ];
        default = false;
      };
      backlogLimit = mkOption {
        type = types.int;
        default = 64;
      };
      rules = mkOption {
        type = types.listOf types.str;
        default = [ ];
      };
    };
    auditd = {
      enable = flag false;
      settings = mkOption {
        type = types.attrsOf (
          types.nullOr (
            types.oneOf [
              types.bool
              types.nonEmptyStr
              types.path
              types.int
            ]
          )
        );
        default = { };
      };
    };
    apparmor.enable = flag false;
    lockKernelModules = flag false;
    protectKernelImage = flag false;
    acme.certs = mkOption {
      type = types.attrsOf (
        types.submodule (
          { name, ... }:
          {
            options.directory = mkOption {
              type = types.str;
              default = "/var/lib/acme/${name}";
            };
          }
        )
      );
      default = { };
    };
  };
  config = {
    security.pam.services = {
      login = { };
      sudo = { };
    };
    security.wrappers.sudo = lib.mkIf config.security.sudo.enable {
      source = "${pkgs.sudo}/bin/sudo";
      owner = "root";
      group = if config.security.sudo.execWheelOnly then "wheel" else "root";
      setuid = true;
      permissions = if config.security.sudo.execWheelOnly then "u+rx,g+x" else "u+rx,g+x,o+x";
    };
    boot.kernel.sysctl = lib.mkIf config.security.protectKernelImage { "kernel.kexec_load_disabled" = lib.mkDefault true; };
  };
}
