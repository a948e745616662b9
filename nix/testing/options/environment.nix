# environment.*, nix.*, assertions and warnings.
{ lib, pkgs, ... }:
let
  inherit (lib) mkOption types;
  etc =
    { name, config, ... }:
    {
      options = {
        enable = mkOption {
          type = types.bool;
          default = true;
        };
        target = mkOption {
          type = types.str;
          default = name;
        };
        text = mkOption {
          type = types.nullOr types.lines;
          default = null;
        };
        source = mkOption { type = types.path; };
        mode = mkOption {
          type = types.str;
          default = "symlink";
        };
        user = mkOption {
          type = types.str;
          default = "+0";
        };
        group = mkOption {
          type = types.str;
          default = "+0";
        };
      };
      config.source = lib.mkIf (config.text != null) (
        lib.mkDefault (pkgs.writeText "etc-${baseNameOf name}" config.text)
      );
    };
  atom = types.oneOf [
    types.bool
    types.int
    types.str
    types.path
    types.package
  ];
in
{
  options = {
    assertions = mkOption {
      type = types.listOf types.unspecified;
      default = [ ];
    };
    warnings = mkOption {
      type = types.listOf types.str;
      default = [ ];
    };
    environment = {
      etc = mkOption {
        type = types.attrsOf (types.submodule etc);
        default = { };
      };
      systemPackages = mkOption {
        type = types.listOf types.package;
        default = [ ];
      };
    };
    nix = {
      extraOptions = mkOption {
        type = types.lines;
        default = "";
      };
      settings = mkOption {
        type = types.submodule {
          freeformType = types.attrsOf (types.either atom (types.listOf atom));
          options = {
            require-sigs = mkOption {
              type = types.bool;
              default = true;
            };
            sandbox = mkOption {
              type = types.either types.bool (types.enum [ "relaxed" ]);
              default = true;
            };
            substituters = mkOption {
              type = types.listOf types.str;
              default = [ ];
            };
            trusted-public-keys = mkOption {
              type = types.listOf types.str;
              default = [ ];
            };
            trusted-users = mkOption {
              type = types.listOf types.str;
              default = [ "root" ];
            };
            allowed-users = mkOption {
              type = types.listOf types.str;
              default = [ "*" ];
            };
          };
        };
        default = { };
      };
      gc = {
        automatic = mkOption {
          type = types.bool;
          default = false;
        };
        dates = mkOption {
          type = types.either types.singleLineStr (types.listOf types.str);
          default = [ "03:15" ];
        };
        options = mkOption {
          type = types.singleLineStr;
          default = "";
        };
      };
    };
  };
  # What the release trusts by itself; a safeguard has to take it away.
  config.nix.settings = {
    substituters = lib.mkAfter [ "https://cache.nixos.org/" ];
    trusted-public-keys = [ "cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=" ];
  };
}
