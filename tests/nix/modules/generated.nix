# Documents of many small hosts, each given as JSON: what the property tests generate.
{ file }:
let
  testing = import ../../../nix/testing { };
  document =
    host:
    (testing.evalSystem {
      modules = [
        ../../../nix/modules/expectations.nix
        (builtins.removeAttrs host [ "swap" ])
        { swapDevices = host.swap or [ ]; }
      ];
    }).config.reconciler.expectations.document;
in
map document (builtins.fromJSON (builtins.readFile file))
