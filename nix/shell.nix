# For engineers of the project: the tools of the gate, and Python for a venv with the locked requirements.
{ pkgs }:

pkgs.mkShell {
  packages = [
    pkgs.python3
    pkgs.git
    pkgs.openssh
    pkgs.nixfmt
    pkgs.nix
    # What the tests start as real things (ci/packages.txt has the Debian names).
    pkgs.nftables
    pkgs.chrony
    pkgs.restic
    pkgs.openssl
  ];

  shellHook = ''
    echo "python3 -m venv .venv && .venv/bin/pip install -r requirements/dev.txt -e ."
  '';
}
