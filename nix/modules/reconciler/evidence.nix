# Where evidence goes, with which key it is signed, and who else vouches for it.
{ config, lib, ... }:

let
  inherit (lib) mkOption types;
  own = import ./types.nix { inherit lib; };
  cfg = config.services.reconciler;

  authority = types.submodule {
    options = {
      name = mkOption {
        type = types.strMatching "[a-z0-9][a-z0-9.-]{0,62}";
        example = "tsa-one";
        description = "What evidence calls it.";
      };
      url = mkOption {
        type = own.url;
        example = "https://tsa.example.org/tsr";
        description = "Where it answers.";
      };
      roots = mkOption {
        type = types.path;
        example = "/etc/reconciler/tsa-one.pem";
        description = "PEM file of the certificates that its own must lead to.";
      };
      intermediates = own.mkOptional types.path {
        description = "PEM file of certificates on the way that its answers do not bring along.";
      };
      certificate = own.mkOptional types.path {
        description = "PEM file of the one certificate that may sign; any under the roots if null.";
      };
      subject = own.mkOptional types.str {
        description = "Subject that the signing certificate must have (RFC 4514).";
      };
      policy = own.mkOptional (types.strMatching "[0-9]+([.][0-9]+)+") {
        description = "Policy that its answers must name.";
      };
    };
  };

  witness = types.submodule {
    options = {
      name = mkOption {
        type = own.name;
        example = "hub";
        description = "As it was begun with; it signs as `witness/<name>`.";
      };
      url = mkOption {
        type = own.url;
        example = "https://hub.example.org/witness";
        description = "Where it answers (c2sp.org/tlog-witness).";
      };
      key = mkOption {
        type = types.strMatching "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI[A-Za-z0-9+/]{43}";
        example = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGFha2VrZXlmYWtla2V5ZmFrZWtleWZha2VrZXlmYWtl";
        description = "Its public key.";
      };
    };
  };

  anchors = types.submodule {
    options = {
      calendars = mkOption {
        type = types.listOf own.url;
        default = [ ];
        example = [ "https://alice.btc.calendar.opentimestamps.org" ];
        description = "OpenTimestamps calendars that each get a salted hash a day.";
      };
      minCalendars = mkOption {
        type = own.duration 1 16;
        default = 1;
        description = "How many of them must answer.";
      };
      upgradeFrom = mkOption {
        type = types.listOf own.url;
        default = [ ];
        description = "Calendars that may be asked about pending proofs, beside those above.";
      };
      authorities = mkOption {
        type = types.listOf authority;
        default = [ ];
        description = "Time stamping authorities (RFC 3161); two that share no root are better than one.";
      };
    };
  };

  copies = types.submodule {
    options = {
      endpoint = mkOption {
        type = types.strMatching "(https://[^/@?#[:space:]]+|http://(127[.][0-9.]+|[[]::1[]])(:[0-9]+)?)";
        example = "https://s3.example.org";
        description = "The store.";
      };
      bucket = mkOption {
        type = types.strMatching "[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]";
        example = "clinic-evidence";
        description = "A bucket with Object Lock (docs/retention.md).";
      };
      region = mkOption {
        type = types.strMatching "[a-z0-9][a-z0-9-]{0,62}";
        example = "us-east-1";
        description = "Its region.";
      };
      prefix = mkOption {
        type = types.str;
        default = "";
        description = "What names of objects begin with.";
      };
      accessKeyFile = mkOption {
        type = own.secret;
        example = "credential:s3-id";
        description = "File of the access key, or `credential:NAME`.";
      };
      secretKeyFile = mkOption {
        type = own.secret;
        example = "credential:s3-secret";
        description = "File of the secret key, or `credential:NAME`.";
      };
      caFile = own.mkOptional types.path {
        description = "PEM file of the authorities to trust instead of the system's.";
      };
      years = mkOption {
        type = own.duration 6 100;
        default = 6;
        description = "Retention. 45 CFR 164.316(b)(2)(i) asks for six years; less cannot be set.";
      };
    };
  };
in
{
  options.services.reconciler.evidence = {
    repository = mkOption {
      type = own.absolute;
      default = "/var/lib/reconciler/evidence/${cfg.client}.git";
      defaultText = lib.literalExpression ''"/var/lib/reconciler/evidence/''${config.services.reconciler.client}.git"'';
      description = "The ledger of this machine: a Git repository.";
    };

    key = mkOption {
      type = own.secret;
      default = "/var/lib/reconciler/keys/appliance";
      example = "credential:appliance";
      description = ''
        The key that signs evidence: a file that only the service may read, or `credential:NAME` for
        one that systemd unseals (docs/keys.md). The default is where `reconciler init` puts it.
      '';
    };

    signers = mkOption {
      type = types.path;
      default = "/var/lib/reconciler/trust/evidence_signers";
      description = "Evidence signers, by which this machine proves its own ledger at each start.";
    };

    remote = own.mkOptional (types.submodule {
      options = own.gitServer // {
        url = mkOption {
          type = own.gitUrl;
          example = "ssh://git@evidence.example.org/elm-street.git";
          description = "The evidence repository of the client.";
        };
      };
    }) { description = "Where everything is pushed to after each run. Nothing is pushed if null."; };

    checkpointEveryS = mkOption {
      type = own.duration 60 86400;
      default = 3600;
      description = "Seconds between two signed roots of the log.";
    };

    sealS = mkOption {
      type = own.duration 0 3600;
      default = 0;
      example = 3600;
      description = "For how many seconds unchanged runs may wait to be signed together; 0: each by itself.";
    };

    repack = mkOption {
      type = types.bool;
      default = true;
      description = "Whether loose objects are packed when there are many.";
    };

    witnesses = mkOption {
      type = types.listOf witness;
      default = [ ];
      description = "Who cosigns checkpoints; at least one where the keeper of the evidence has no hand in it.";
    };

    anchors = own.mkOptional anchors {
      description = "Who proves, daily, that the newest checkpoint was there.";
    };

    copies = own.mkOptional copies {
      description = "Copies that nobody can delete: S3 with Object Lock.";
    };
  };
}
