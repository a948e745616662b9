# What a module alone declares: the document of a host that has nothing else.
module:
let
  testing = import ../../../nix/testing { };
in
(testing.evalSystem {
  modules = [
    ../../../nix/modules/expectations.nix
    module
  ];
}).config.reconciler.expectations.document
