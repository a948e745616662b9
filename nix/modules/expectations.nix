# Writes what the configuration declares into the system itself:
#   <system>/reconciler/expectations.json   what the machine is compared with
#   <system>/reconciler/licences.json       what the bill of materials says of packages
#
# The builder puts the path of the system in: while it is evaluated nobody knows it.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.reconciler.expectations;
  document = pkgs.writeText "expectations.json" (builtins.toJSON cfg.document);
  licences = pkgs.writeText "licences.json" (builtins.toJSON (import ../licences.nix { inherit config lib; }));
  unit = lib.types.strMatching "[A-Za-z0-9:_.\\@-]+\\.(service|socket)";
in
{
  options.reconciler.expectations = {
    enable = lib.mkOption {
      type = lib.types.bool;
      default = true;
      description = "Whether the system carries what it declares. Without it nothing of the machine can be compared.";
    };
    sockets = lib.mkOption {
      default = [ ];
      description = "Sockets that services open and that no option of NixOS says.";
      type = lib.types.listOf (
        lib.types.submodule {
          options = {
            protocol = lib.mkOption {
              type = lib.types.enum [
                "tcp"
                "udp"
              ];
              default = "tcp";
              description = "Protocol.";
            };
            port = lib.mkOption {
              type = lib.types.ints.between 1 65535;
              description = "Port.";
            };
            address = lib.mkOption {
              type = lib.types.nullOr (lib.types.strMatching "[0-9a-fA-F.:]+");
              default = null;
              description = "Address; null is any.";
            };
            unit = lib.mkOption {
              type = lib.types.nullOr unit;
              default = null;
              description = "Unit whose processes listen; null is any.";
            };
          };
        }
      );
    };
    open = lib.mkOption {
      default = [ ];
      example = [ "tcp/8443" ];
      description = "Ports that rules of your own open (networking.firewall.extraInputRules, extraCommands): their text is not read.";
      type = lib.types.listOf (lib.types.strMatching "(tcp|udp)/[0-9]{1,5}(-[0-9]{1,5})?");
    };
    certificates = lib.mkOption {
      default = [ ];
      description = "Certificates beside those of security.acme.";
      type = lib.types.listOf (
        lib.types.submodule {
          options = {
            name = lib.mkOption {
              type = lib.types.strMatching "[A-Za-z0-9_][A-Za-z0-9_.-]*";
              description = "Name.";
            };
            path = lib.mkOption {
              type = lib.types.strMatching "/.*";
              description = "File with the certificate.";
            };
            unit = lib.mkOption {
              type = lib.types.nullOr unit;
              default = null;
              description = "Unit that renews it.";
            };
          };
        }
      );
    };
    document = lib.mkOption {
      type = lib.types.raw;
      readOnly = true;
      internal = true;
      description = "The document, before the builder has put the system's own path in.";
    };
  };

  config = lib.mkMerge [
    { reconciler.expectations.document = import ../expectations.nix { inherit config lib; }; }
    (lib.mkIf cfg.enable {
      system.systemBuilderCommands = ''
        mkdir -p $out/reconciler
        sed "s|\"system\":\"@system@\"|\"system\":\"$out\"|" ${document} > $out/reconciler/expectations.json
        cp ${licences} $out/reconciler/licences.json
      '';
    })
  ];
}
