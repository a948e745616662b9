#!/bin/bash
# Get a modern Nix for the tests, beside the machine's own packages and without touching them.
#
#   ci/nix.sh DEST
#
# DEST/usr/bin     nix, nix-store, nix-env ...: one program, with the C library that it was built for
# DEST/version     what `nix --version` says
# DEST/digest      digest of what DEST was made from; a DEST that has the right one is kept
#
# Debian 12 has Nix 2.8, which is too old. Installing a newer one with apt would replace this
# machine's C library, so the packages are only unpacked, and the one program is told where its
# loader and libraries are. DEST is written into it: a moved DEST does not run.
set -euo pipefail
umask 022

dest=${1:?usage: ci/nix.sh DEST}
here=$(cd "$(dirname "$0")" && pwd)
oldest=2.26 # the first that we support
suites=(sid trixie)
tries=3

fail() { echo "ci/nix.sh: $*" >&2; return 1; }

fingerprint() { { cat "$here/nix.sh"; echo "$dest"; } | sha256sum | cut -d' ' -f1; }

# Where this machine's own apt gets Debian from; no address is written down here.
mirror() {
  apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' 'Origin: Debian' \
    | awk '$2 == "bookworm" {print $1; exit}'
}

again() {
  local try
  for ((try = 1; try < tries; try++)); do
    "$@" && return
    sleep $((try * 2))
  done
  "$@"
}

# An apt that knows one suite and no installed package. The clock of a test machine may run past
# the end of a release file; its signature is checked all the same.
configure_apt() {
  local apt=$1 suite=$2 from
  from=$(mirror)
  [[ -n $from ]] || fail "apt of this machine has no source for Debian bookworm" || return
  mkdir -p "$apt"/{lists,cache/archives}/partial "$apt/debs"
  : > "$apt/status"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $from $suite main" \
    > "$apt/sources.list"
  cat > "$apt/apt.conf" << CONF
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State::Lists "$apt/lists";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
APT::Sandbox::User "root";
CONF
}

# nix-bin and every library below it; what only a whole system needs is left out.
packages() {
  echo nix-bin
  apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
    --no-replaces --no-enhances --no-pre-depends nix-bin \
    | grep -E '^lib' | grep -vE '^(lib.*perl|libc-bin|libcrypt1|libsystemd)' | sort -u
}

unpack() {
  local deb
  for deb in "$1"/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" \
      | tar -C "$2" -x --exclude='./usr/share/*' --exclude='./usr/lib/systemd/*' --exclude='./etc/*'
  done
}

# Steps are joined by hand: a function that is called in a condition does not stop at an error.
get() {
  local work=$1 suite=$2 apt=$1/apt
  configure_apt "$apt" "$suite" || return
  export APT_CONFIG=$apt/apt.conf
  again apt-get update -qq || return
  packages > "$apt/wanted" || return
  (cd "$apt/debs" && again xargs apt-get download -qq < "$apt/wanted") || return
  unpack "$apt/debs" "$work" || return
  unset APT_CONFIG
  rm -rf "$apt"
}

relocate() {
  local work=$1 loader
  loader=$(cd "$work" && find usr/lib64 usr/lib -name 'ld-linux-*.so.*' -print -quit)
  [[ -n $loader ]] || fail "the C library brought no loader" || return
  patchelf --set-interpreter "$dest/$loader" --force-rpath \
    --set-rpath "$dest/usr/lib/$(uname -m)-linux-gnu" "$work/usr/bin/nix"
}

new_enough() {
  local have
  have=$("$dest/usr/bin/nix" --version | awk '{print $NF}') || return
  [[ $(printf '%s\n' "$oldest" "$have" | sort -V | head -n 1) == "$oldest" ]] \
    || fail "got Nix $have, and at least $oldest is needed" || return
  echo "$have" > "$dest/version"
}

build() {
  local suite=$1
  rm -rf "$work" "$dest"
  mkdir -p "$work"
  (get "$work" "$suite" && relocate "$work") || return
  mv "$work" "$dest"
  new_enough
}

want=$(fingerprint)
if [[ -f $dest/digest && $(cat "$dest/digest") == "$want" ]]; then
  exit 0
fi
command -v patchelf > /dev/null || { fail "patchelf is not installed (see ci/packages.txt)"; exit 1; }
[[ $dest == /* ]] || { fail "DEST must be absolute: it is written into the program"; exit 1; }

rm -rf "$dest".building.*
work=$dest.building.$$
trap 'rm -rf "$work"' EXIT
for suite in "${suites[@]}"; do
  if build "$suite"; then
    echo "$want" > "$dest/digest"
    exit 0
  fi
  rm -rf "$dest"
  echo "ci/nix.sh: no Nix from $suite" >&2
done
fail "no Nix from ${suites[*]}"
