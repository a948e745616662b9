# For `nix flake check` on machines that have nixpkgs: the build, the format, and machines that really boot.
{ pkgs, self }:

let
  machine = name: pkgs.testers.runNixOSTest (import (./vm + "/${name}.nix") { inherit self; });
in
{
  package = self.packages.${pkgs.stdenv.hostPlatform.system}.reconciler;

  format = pkgs.runCommand "nix-format" { nativeBuildInputs = [ pkgs.nixfmt ]; } ''
    find ${../nix} ${../hosts} -name '*.nix' -print0 | xargs -0 nixfmt --check
    nixfmt --check ${../flake.nix}
    touch $out
  '';

  boots = machine "boots";
  drift = machine "drift";
  activation = machine "activation";
}
