# Secrets reach the service as systemd passes them: never through the store, never as an argument.
{ config, lib, ... }:

let
  cfg = config.services.reconciler;
  lines =
    encrypted:
    lib.mapAttrsToList (name: credential: "${name}:${credential.source}") (
      lib.filterAttrs (_: credential: credential.encrypted == encrypted) cfg.credentials
    );
in
{
  config = lib.mkIf cfg.enable {
    systemd.services.reconciler.serviceConfig = {
      LoadCredential = lines false;
      LoadCredentialEncrypted = lines true;
    };
  };
}
