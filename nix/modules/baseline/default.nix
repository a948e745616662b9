# The baseline: one file a safeguard. Each says which controls it serves, which checks look at it
# on the running machine, and refuses (by assertion) a configuration that would leave it hollow.
#
# Rule 1. A safeguard is on, or somebody switched it off by name: there is no half.
# Rule 2. What a safeguard cannot know (a key, a repository, an address) it asks for. It never
#         falls back to something that only looks protected.
# Rule 3. What is set here satisfies the rules of policies/baselines/nixos-hipaa-v1.yaml.
{
  imports = [
    ./accounts.nix
    ./antivirus.nix
    ./audit.nix
    ./backup.nix
    ./disk-encryption.nix
    ./firewall.nix
    ./journal.nix
    ./kernel.nix
    ./secrets.nix
    ./sessions.nix
    ./ssh.nix
    ./time.nix
    ./updates.nix
    ./usb.nix
    ./wireguard.nix
  ];
}
