# Where desired state comes from, and whom to trust at enrolment.
{ lib, ... }:

let
  inherit (lib) mkOption types;
  own = import ./types.nix { inherit lib; };
in
{
  options.services.reconciler.fleet = own.gitServer // {
    url = mkOption {
      type = own.gitUrl;
      example = "ssh://git@git.example.org/fleet.git";
      description = "The fleet repository: `ssh://`, `https://`, `user@host:path` or an absolute path.";
    };

    branch = mkOption {
      type = own.branch;
      default = "main";
      description = "The one branch that counts.";
    };

    attestations = mkOption {
      type = types.nullOr own.branch;
      default = "attestations";
      description = ''
        The branch with approvals, releases, heartbeats and recoveries. `null` means that the fleet
        has none, and then no release can name a system.
      '';
    };

    signers = mkOption {
      type = types.path;
      default = "/var/lib/reconciler/trust/allowed_signers";
      description = "Allowed signers that are pinned at enrolment (OpenSSH's format).";
    };

    pin = own.mkOptional own.commit {
      example = "0000000000000000000000000000000000000000";
      description = ''
        Id of a commit that somebody checked by hand: the first acceptance must descend from it.
        Without it the pinned signers alone decide what is accepted first.
      '';
    };
  };
}
