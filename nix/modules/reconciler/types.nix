# Types that several options share. Each is at least as strict as the settings loader and those who
# use what it loads, so that what would fail on the machine is refused when the system is built.
{ lib }:

let
  inherit (lib) mkOption types;
  # A pattern in words: what an error and the page of options say.
  described = description: pattern: types.strMatching pattern // { inherit description; };
in
rec {
  # A client, a host, a channel: a DNS label, so it is a safe path and branch.
  nameForm = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";
  name = types.strMatching nameForm;

  # What is on the way reads along with plain http, so that is for this machine alone. No address
  # holds a user, a password or a token.
  loopback = "http://(127[.][0-9.]+|[[]::1[]])(:[0-9]+)?(/[^?#[:space:]]*)?";
  https = "https://[^/@?#[:space:]]+(/[^?#[:space:]]*)?";
  url = described "https://HOST/PATH (plain http to 127.0.0.1 alone)" "${https}|${loopback}";

  # As the fetch takes it: https, ssh, user@host:path, a directory.
  gitUrl = described "https://HOST/PATH, ssh://USER@HOST/PATH, USER@HOST:PATH, or /PATH" (
    "${https}|${loopback}|http://localhost(:[0-9]+)?/[^?#[:space:]]*|(file://)?/[^?#[:space:]]+"
    + "|ssh://([^/@:?#[:space:]]+@)?[^/@?#[:space:]]+/[^?#[:space:]]+"
    + "|([A-Za-z0-9._-]+@)?([[][0-9A-Fa-f:]+[]]|[A-Za-z0-9._-]+):/?[^:/[:space:]][^[:space:]]*"
  );

  branch = types.strMatching "[A-Za-z0-9][A-Za-z0-9_-]*([./][A-Za-z0-9_][A-Za-z0-9_-]*)*";

  commit = types.strMatching "([0-9a-f]{40}|[0-9a-f]{64})";

  # Text, not a Nix path: a Nix path would be copied into the store, where everybody may read it.
  secretForm = "(credential:[A-Za-z0-9][A-Za-z0-9._-]*|/.+)";
  secret = types.strMatching secretForm;
  urlOrSecret = described "https://HOST/PATH, /PATH or credential:NAME" "${https}|${loopback}|${secretForm}";

  # A path that units name as well: a blank, a quotation mark or a % means something else there.
  absolute = described "absolute path without blanks, quotation marks, % and \\" "/[^[:space:][:cntrl:]%\"'\\]+";

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
