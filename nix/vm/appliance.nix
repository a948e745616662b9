# A machine for the tests: the reconciler with a fleet repository of its own, on the same disk.
{ self }:
{ pkgs, ... }:
{
  environment.systemPackages = [ pkgs.git ];

  imports = [
    self.nixosModules.reconciler
    self.nixosModules.expectations
  ];

  services.reconciler = {
    enable = true;
    client = "elm-street";
    host = "appliance";
    fleet.url = "/srv/fleet.git";
    intervalS = 30;
    jitterS = 0;
    storeVerify.enable = false;
  };
  virtualisation.memorySize = 2048;
}
