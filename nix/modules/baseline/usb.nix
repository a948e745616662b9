# USB: a device that nobody declared stays blocked.
# Controls: 45 CFR 164.310(d)(1), 164.310(c).
{ config, lib, ... }:
let
  cfg = config.reconciler.baseline.usb;
  title = "USB devices that nobody declared are blocked";
in
{
  imports = [ ./common.nix ];

  options.reconciler.baseline.usb = {
    enable = import ./switch.nix { inherit config lib; } title;
    rules = lib.mkOption {
      type = lib.types.listOf (lib.types.strMatching "(allow|block|reject) .+");
      default = [ ];
      example = [ "allow id 046d:c31c" ];
      description = "Rules of usbguard-rules.conf(5). Have them made on the machine first (usbguard generate-policy), or its keyboard is lost.";
    };
    headless = lib.mkOption {
      type = lib.types.bool;
      default = false;
      description = "Whether the machine needs no USB device at all, so that no rule is meant.";
    };
  };

  config = lib.mkMerge [
    {
      reconciler.baseline.safeguards.usb = {
        enabled = cfg.enable;
        inherit title;
        controls = [
          "hipaa:164.310(d)(1)"
          "hipaa:164.310(c)"
          "nist-800-53r5:MP-7"
        ];
        checks = [ ];
      };
    }
    (lib.mkIf cfg.enable {
      services.usbguard = {
        enable = true;
        rules = lib.concatLines cfg.rules;
        implicitPolicyTarget = "block";
        presentDevicePolicy = "apply-policy";
        IPCAllowedUsers = [ "root" ];
      };
      assertions = [
        {
          assertion = cfg.rules != [ ] || cfg.headless;
          message = "reconciler.baseline.usb: no rule is declared (reconciler.baseline.usb.rules), so a keyboard would be blocked. Run `usbguard generate-policy` on the machine, or set headless = true where none is needed.";
        }
      ];
    })
  ];
}
