# Types that several options share. Each is at least as strict as the settings loader, so that what
# the loader would refuse at start is refused when the system is built.
{ lib }:

let
  inherit (lib) mkOption types;
in
rec {
  # A client, a host, a channel: a DNS label, so it is a safe path and branch.
  name = types.strMatching "[a-z0-9]([a-z0-9-]*[a-z0-9])?";

  url = types.strMatching "[!-~]+";

  branch = types.strMatching "[A-Za-z0-9][A-Za-z0-9._/-]*";

  commit = types.strMatching "([0-9a-f]{40}|[0-9a-f]{64})";

  # Text, not a Nix path: a Nix path would be copied into the store, where everybody may read it.
  secret = types.strMatching "(credential:[A-Za-z0-9][A-Za-z0-9._-]*|/.+)";

  absolute = types.strMatching "/.+";

  # By which a binary cache signs.
  cacheKey = types.strMatching "[A-Za-z0-9][A-Za-z0-9._-]*:[A-Za-z0-9+/]{43}=";

  duration = least: most: types.ints.between least most;

  mkOptional =
    type: attributes:
    mkOption (
      {
        type = types.nullOr type;
        default = null;
      }
      // attributes
    );

  mkSecret =
    attributes:
    mkOptional secret (
      attributes
      // {
        description = attributes.description + ''


          An absolute path outside of the store, or `credential:NAME` for one of
          {option}`services.reconciler.credentials`.
        '';
      }
    );

  # How a Git server is reached; the fleet and the evidence repository have the same.
  gitServer = {
    sshKey = mkSecret {
      description = "Private key without a passphrase, for a server that is reached by SSH.";
      example = "credential:deploy-key";
    };
    knownHosts = mkOptional types.path {
      description = "OpenSSH known hosts file with the server's key; needed for SSH.";
      example = "/etc/ssh/ssh_known_hosts";
    };
    caFile = mkOptional types.path {
      description = "PEM file of the authorities to trust for HTTPS instead of the system's.";
      example = "/etc/ssl/msp-ca.pem";
    };
    tokenFile = mkSecret {
      description = "File with the token for HTTPS.";
      example = "credential:fleet-token";
    };
    timeoutS = mkOption {
      type = duration 1 3600;
      default = 120;
      description = "Seconds that one exchange with the server may take.";
    };
    maxMebibytes = mkOption {
      type = duration 1 4096;
      default = 128;
      description = "Most that one exchange may bring.";
    };
  };
}
