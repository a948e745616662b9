# system.*, and the system itself: a derivation that can be built where there is a shell.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  text =
    default:
    mkOption {
      type = types.str;
      inherit default;
    };
in
{
  options = {
    system = {
      nixos.release = mkOption {
        type = types.str;
        readOnly = true;
        default = "26.05";
      };
      configurationRevision = mkOption {
        type = types.nullOr types.str;
        default = null;
      };
      stateVersion = text "26.05";
      boot.loader.kernelFile = text "bzImage";
      boot.loader.initrdFile = text "initrd";
      modulesTree = mkOption {
        type = types.listOf types.path;
        default = [ ];
        # One tree of all of them, as the release makes it.
        apply = _: pkgs.machine.modules;
      };
      systemBuilderCommands = mkOption {
        type = types.lines;
        default = "";
      };
      etc.overlay.enable = mkOption {
        type = types.bool;
        default = false;
      };
      autoUpgrade.enable = mkOption {
        type = types.bool;
        default = false;
      };
      build = {
        initialRamdisk = mkOption {
          type = types.package;
          default = pkgs.machine.initrd;
        };
        toplevel = mkOption {
          type = types.package;
          readOnly = true;
        };
        isoImage = mkOption {
          type = types.package;
          default = pkgs.runCommand "image" { } "mkdir $out";
        };
      };
    };
    image.baseName = text "nixos";
    nixpkgs.hostPlatform = mkOption {
      type = types.either types.str types.attrs;
      default = "x86_64-linux";
    };
    time.timeZone = mkOption {
      type = types.nullOr types.str;
      default = null;
    };
  };
  config.system.build.toplevel =
    let
      failed = builtins.filter (a: !a.assertion) config.assertions;
    in
    if failed != [ ] then
      throw "Failed assertions:\n${lib.concatMapStringsSep "\n" (a: "- ${a.message}") failed}"
    else
      pkgs.runCommand "nixos-system-${config.networking.hostName}-${config.system.nixos.release}" { } ''
        mkdir $out
        ${config.system.systemBuilderCommands}
      '';
}
