# boot.*, fileSystems, swapDevices.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  text = types.nullOr (
    types.oneOf [
      types.bool
      types.str
      types.int
    ]
  );
  mount =
    { name, config, ... }:
    {
      options = {
        mountPoint = mkOption {
          type = types.nonEmptyStr;
          default = name;
        };
        device = mkOption {
          type = types.nullOr types.nonEmptyStr;
          default = null;
        };
        fsType = mkOption {
          type = types.nonEmptyStr;
          default = "auto";
        };
        options = mkOption {
          type = types.nonEmptyListOf types.nonEmptyStr;
          default = [ "defaults" ];
        };
        neededForBoot = mkOption {
          type = types.bool;
          default = false;
        };
        encrypted.enable = mkOption {
          type = types.bool;
          default = false;
        };
      };
    };
  swap =
    { config, ... }:
    {
      options = {
        device = mkOption { type = types.nonEmptyStr; };
        # What is swapped to: with a key of its own at each start, a mapping.
        realDevice = mkOption { type = types.path; };
        randomEncryption.enable = mkOption {
          type = types.bool;
          default = false;
        };
        encrypted.enable = mkOption {
          type = types.bool;
          default = false;
        };
      };
      config.realDevice =
        if config.randomEncryption.enable then
          "/dev/mapper/${builtins.replaceStrings [ "-" "/" ] [ "x2d" "-" ] (lib.removePrefix "/" config.device)}"
        else
          config.device;
    };
  luks = {
    options = {
      device = mkOption { type = types.str; };
      allowDiscards = mkOption {
        type = types.bool;
        default = false;
      };
      keyFile = mkOption {
        type = types.nullOr types.str;
        default = null;
      };
    };
  };
in
{
  options = {
    fileSystems = mkOption {
      type = types.attrsOf (types.submodule mount);
      default = { };
    };
    swapDevices = mkOption {
      type = types.listOf (types.submodule swap);
      default = [ ];
    };
    boot = {
      isContainer = mkOption {
        type = types.bool;
        default = false;
      };
      kernel.enable = mkOption {
        type = types.bool;
        default = !config.boot.isContainer;
      };
      kernel.sysctl = mkOption {
        type = types.attrsOf text;
        default = { };
      };
      kernelPackages = mkOption {
        type = types.raw;
        default = pkgs.linuxPackages;
      };
      kernelParams = mkOption {
        type = types.listOf (types.strMatching "([^\"[:space:]]|\"[^\"]*\")+");
        default = [ ];
      };
      kernelModules = mkOption {
        type = types.listOf types.str;
        default = [ ];
      };
      blacklistedKernelModules = mkOption {
        type = types.listOf types.str;
        default = [ ];
      };
      loader.systemd-boot = {
        enable = mkOption {
          type = types.bool;
          default = false;
        };
        configurationLimit = mkOption {
          type = types.nullOr types.int;
          default = null;
        };
      };
      loader.efi.canTouchEfiVariables = mkOption {
        type = types.bool;
        default = false;
      };
      initrd = {
        enable = mkOption {
          type = types.bool;
          default = !config.boot.isContainer;
        };
        # What is copied into the initrd: the path of a file, or null for the same path.
        secrets = mkOption {
          type = types.attrsOf (types.nullOr types.path);
          default = { };
        };
        availableKernelModules = mkOption {
          type = types.listOf types.str;
          default = [ ];
        };
        luks.devices = mkOption {
          type = types.attrsOf (types.submodule luks);
          default = { };
        };
        systemd.enable = mkOption {
          type = types.bool;
          default = false;
        };
        network = {
          enable = mkOption {
            type = types.bool;
            default = false;
          };
          ssh = {
            enable = mkOption {
              type = types.bool;
              default = false;
            };
            port = mkOption {
              type = types.port;
              default = 22;
            };
            hostKeys = mkOption {
              type = types.listOf (types.either types.str types.path);
              default = [ ];
            };
            authorizedKeys = mkOption {
              type = types.listOf types.str;
              default = [ ];
            };
          };
        };
      };
    };
  };
}
