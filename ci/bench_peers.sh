#!/bin/bash
# Install the tools that we are compared with, in a layer above the guest's root.
#
#   ci/bench_peers.sh ROOT DEST
#
# ROOT           the guest's root from ci/rootfs.sh; only read
# DEST/layer     what the packages of ci/bench-packages.txt add: an overlay's upper directory
# DEST/digest    digest of what DEST was made from; a DEST that has the right one is kept
set -euo pipefail
umask 022

root=${1:?usage: ci/bench_peers.sh ROOT DEST}
dest=${2:?usage: ci/bench_peers.sh ROOT DEST}
here=$(cd "$(dirname "$0")" && pwd)
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

fingerprint() {
  cat "$here/bench_peers.sh" "$here/bench-packages.txt" "$root/../digest" | sha256sum | cut -d' ' -f1
}

packages() { sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$here/bench-packages.txt"; }

# Where this machine's own apt gets a release from; no address is written down here.
mirror() {
  apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' 'Origin: Debian' \
    | awk '$2 == "bookworm" {print $1; exit}'
}

# An apt of our own: it resolves against what the guest has, and knows one suite more.
configure_apt() {
  local suite
  mkdir -p "$1"/{lists,cache/archives}/partial
  for suite in bookworm $(packages | sed -n 's,.*/,,p' | sort -u); do
    echo "deb [signed-by=$keyring] $(mirror) $suite main"
  done > "$1/sources.list"
  printf 'Package: *\nPin: release n=bookworm\nPin-Priority: 990\n' > "$1/preferences"
  cat > "$1/apt.conf" <<CONF
Dir::Etc::sourcelist "$1/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "$1/preferences";
Dir::Etc::preferencesparts "/dev/null";
Dir::State::Lists "$1/lists";
Dir::State::status "$2/var/lib/dpkg/status";
Dir::Cache "$1/cache";
Acquire::Languages "none";
APT::Sandbox::User "root";
CONF
}

download() {
  export APT_CONFIG=$1/apt.conf
  apt-get update -qq
  mapfile -t names < <(packages)
  apt-get install -y -qq --download-only --no-install-recommends "${names[@]}" > /dev/null
}

# Nothing of what is installed may run by itself: the guest must be as quiet as without it.
install_all() {
  mount --bind "$1/cache/archives" "$2/mnt"
  # Its own dpkg: one from outside looks for the owners of its files among our users.
  chroot "$2" sh -c "dpkg --force-unsafe-io --path-exclude='/usr/share/man/*' \
    --path-exclude='/usr/share/doc/*' --path-exclude='/usr/share/locale/*' \
    --install /mnt/*.deb" > "$1/install.log" 2>&1 \
    || { tail -n 20 "$1/install.log" >&2; return 1; }
  umount "$2/mnt"
  systemctl --quiet --root="$2" mask cfengine3.service cf-execd.service cf-monitord.service \
    cf-serverd.service puppet.service 2> /dev/null
}

want=$(fingerprint)
if [[ -f $dest/digest && $(cat "$dest/digest") == "$want" ]]; then
  exit 0
fi
[[ $(id -u) == 0 ]] || { echo "ci/bench_peers.sh: must be root" >&2; exit 1; }

rm -rf --one-file-system "$dest".building.*
build=$dest.building.$$
merged=$build/merged
trap 'umount --lazy "$merged" 2> /dev/null || true; rm -rf --one-file-system "$build"' EXIT
mkdir -p "$build"/{layer,work,merged,apt}
chmod 0755 "$build" "$build/layer"
mount -t overlay -o "lowerdir=$root,upperdir=$build/layer,workdir=$build/work" bench-peers "$merged"
configure_apt "$build/apt" "$merged"
download "$build/apt"
install_all "$build/apt" "$merged"
umount "$merged"
rm -rf --one-file-system "$build"/{work,merged,apt}
echo "$want" > "$build/digest"
rm -rf --one-file-system "$dest"
mv "$build" "$dest"
