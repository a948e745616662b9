# Evaluates modules without nixpkgs: a small library, packages that cannot be built, and exactly
# those options of NixOS that our modules set or read, with their types.
#
#   (import ./nix/testing { }).evalSystem { modules = [ ./host.nix ]; }
#
# The same modules can be given to another library: `{ lib = import <nixpkgs/lib>; }`.
{
  lib ? import ./lib,
}:
let
  pkgs = import ./packages.nix { inherit lib; };
  options = import ./options;
in
{
  inherit lib pkgs options;

  # The configuration of a host: { config; options; }.
  evalSystem =
    {
      modules,
      specialArgs ? { },
    }:
    lib.evalModules {
      modules = options ++ modules;
      specialArgs = {
        inherit pkgs;
        # Where an installer finds the profiles of the release.
        modulesPath = ./profiles;
      }
      // specialArgs;
    };

  # Messages of assertions that do not hold.
  refusals = config: map (a: a.message) (builtins.filter (a: !a.assertion) config.assertions);
}
