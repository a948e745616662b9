# Everything that a machine of a fleet has: the reconciler, the safeguards, the expectations document.
{
  imports = [
    ./reconciler.nix
    ./baseline
    ./expectations.nix
  ];
}
