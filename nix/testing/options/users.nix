# users.*
{ lib, pkgs, ... }:
let
  inherit (lib) mkOption types;
  text = mkOption {
    type = types.nullOr types.str;
    default = null;
  };
  flag =
    default:
    mkOption {
      type = types.bool;
      inherit default;
    };
  user =
    { name, config, ... }:
    {
      options = {
        enable = flag true;
        name = mkOption {
          type = types.str;
          default = name;
        };
        description = mkOption {
          type = types.str;
          default = "";
        };
        uid = mkOption {
          type = types.nullOr types.int;
          default = null;
        };
        isNormalUser = flag false;
        isSystemUser = flag false;
        group = mkOption {
          type = types.str;
          default = "";
        };
        extraGroups = mkOption {
          type = types.listOf types.str;
          default = [ ];
        };
        home = mkOption {
          type = types.path;
          default = if config.isNormalUser then "/home/${config.name}" else "/var/empty";
        };
        createHome = flag false;
        shell = mkOption {
          type = types.nullOr (types.either types.shellPackage types.path);
          default = if config.isNormalUser then pkgs.bash else "/run/current-system/sw/bin/nologin";
        };
        hashedPassword = text;
        hashedPasswordFile = text;
        initialHashedPassword = text;
        initialPassword = text;
        password = text;
        openssh.authorizedKeys = {
          keys = mkOption {
            type = types.listOf types.singleLineStr;
            default = [ ];
          };
          keyFiles = mkOption {
            type = types.listOf types.path;
            default = [ ];
          };
        };
      };
      config.group = lib.mkIf config.isNormalUser (lib.mkDefault "users");
    };
  group =
    { name, ... }:
    {
      options = {
        name = mkOption {
          type = types.str;
          default = name;
        };
        gid = mkOption {
          type = types.nullOr types.int;
          default = null;
        };
        members = mkOption {
          type = types.listOf types.str;
          default = [ ];
        };
      };
    };
in
{
  options.users = {
    mutableUsers = flag true;
    users = mkOption {
      type = types.attrsOf (types.submodule user);
      default = { };
    };
    groups = mkOption {
      type = types.attrsOf (types.submodule group);
      default = { };
    };
  };
  config.users = {
    users.root = {
      uid = lib.mkDefault 0;
      group = "root";
      home = "/root";
      shell = lib.mkDefault pkgs.bash;
    };
    groups = {
      root.gid = 0;
      wheel.gid = 1;
      users.gid = 100;
    };
  };
}
