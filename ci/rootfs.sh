#!/bin/bash
# Build the Debian root of the systemd guest.
#
#   ci/rootfs.sh DEST
#
# DEST/root             the root file system, never booted directly: a guest runs on an overlay of it
# DEST/admin_ed25519    private key of `clinicadmin`, the one person who may log in to the guest
# DEST/digest           digest of what DEST was made from; a DEST that has the right one is kept
#
# What a clinic has from its own hands (keys, certificate authority, first backup) is not made here but
# by `clinic-first-boot.service`, so a root that was built last month still boots with fresh ones.
set -euo pipefail
umask 022

dest=${1:?usage: ci/rootfs.sh DEST}
here=$(cd "$(dirname "$0")" && pwd)
suite=bookworm

fingerprint() {
  { cat "$here/rootfs.sh" "$here/guest-packages.txt"
    cd "$here/rootfs"
    find . -type f -printf '%P %m\n' | LC_ALL=C sort
    find . -type f -print0 | LC_ALL=C sort -z | xargs -0 cat
  } | sha256sum | cut -d' ' -f1
}

packages() { sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$here/guest-packages.txt" | paste -sd, -; }

bootstrap() {
  mmdebstrap --quiet --variant=minbase --format=directory --include="$(packages)" \
    --dpkgopt=force-unsafe-io \
    --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    "$suite" "$1"
}

# The repository's modes decide nothing but "executable", so an umask cannot leak into the guest.
lay_files() {
  local file mode
  while IFS= read -r -d '' file; do
    mode=0644
    [[ -x $here/rootfs/$file ]] && mode=0755
    [[ $file == etc/sudoers.d/* ]] && mode=0440
    install -D -o root -g root -m "$mode" "$here/rootfs/$file" "$1/$file"
  done < <(cd "$here/rootfs" && find . -type f -printf '%P\0')
}

# No `resolv.conf` and no host name of the machine that built it.
forget_builder() {
  rm -f "$1"/etc/{resolv.conf,machine-id,hostname,hosts}
  : > "$1/etc/resolv.conf"
  : > "$1/etc/machine-id"
  echo frontdesk > "$1/etc/hostname"
  printf '%s\n' '127.0.0.1 localhost' '127.0.1.1 frontdesk portal.clinic.example' > "$1/etc/hosts"
}

add_admin() {
  chroot "$1" useradd --create-home --shell /bin/bash --groups sudo clinicadmin
  chroot "$1" passwd --quiet --lock root
  ssh-keygen -q -t ed25519 -N '' -C clinicadmin -f "$2/admin_ed25519"
  install -D -m 0644 "$2/admin_ed25519.pub" "$1/etc/ssh/authorized_keys.d/clinicadmin"
}

# Fictional papers of a fictional clinic; big enough that a backup and a restore have work to do.
add_papers() {
  install -d -m 0750 "$1/srv/clinic"
  local n
  for n in 01 02 03 04 05 06 07 08; do
    printf 'Procedure %s\nReview the emergency-mode plan, then sign the sheet.\n' "$n" \
      > "$1/srv/clinic/procedure-$n.txt"
  done
  head -c 1048576 /dev/urandom > "$1/srv/clinic/floor-plan.bin"
}

# Timers of the distribution would reach for a network that is not there.
settle_units() {
  systemctl --quiet --root="$1" mask apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer \
    e2scrub_reap.service fstrim.timer console-getty.service getty@tty1.service
  systemctl --quiet --root="$1" enable ssh.service chrony.service nftables.service \
    clinic-first-boot.service clinic-bridge.service restic-backups-nightly.timer \
    var-cache-clinic.mount clamav-daemon.service clamav-freshclam.service
}

build() {
  local work=$1 root=$1/root
  bootstrap "$root"
  lay_files "$root"
  forget_builder "$root"
  chroot "$root" pam-auth-update --enable faillock faillock-preauth
  install -d -m 2755 -g "$(awk -F: '$1 == "systemd-journal" {print $3}' "$root/etc/group")" \
    "$root/var/log/journal"
  install -d -m 0755 "$root/opt/reconciler/src" "$root/opt/reconciler/site-packages" "$root/share"
  add_admin "$root" "$work"
  add_papers "$root"
  settle_units "$root"
}

want=$(fingerprint)
if [[ -f $dest/digest && $(cat "$dest/digest") == "$want" ]]; then
  exit 0
fi
[[ $(id -u) == 0 ]] || { echo "ci/rootfs.sh: must be root" >&2; exit 1; }

rm -rf --one-file-system "$dest".building.*
work=$dest.building.$$
trap 'rm -rf --one-file-system "$work"' EXIT
mkdir -p "$work"
chmod 0755 "$work"
build "$work"
echo "$want" > "$work/digest"
rm -rf --one-file-system "$dest"
mv "$work" "$dest"
