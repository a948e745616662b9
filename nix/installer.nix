# An image to install an appliance from. It knows no client and holds no secret: who the machine is
# is decided by the store path that it installs, and its keys are made on it afterwards.
{
  lib,
  modulesPath,
  pkgs,
  ...
}:

{
  imports = [ (modulesPath + "/installer/cd-dvd/installation-cd-minimal.nix") ];

  environment.systemPackages = [
    (pkgs.callPackage ./package.nix { })
    pkgs.cryptsetup
    pkgs.parted
    pkgs.sbctl
  ];

  # Nobody logs in to an installer over the network.
  services.openssh.enable = lib.mkForce false;

  environment.etc."install-an-appliance.txt".source = ./install-an-appliance.txt;
  services.getty.helpLine = lib.mkAfter "How to install an appliance: less /etc/install-an-appliance.txt";

  image.baseName = lib.mkForce "reconciler-installer";
}
