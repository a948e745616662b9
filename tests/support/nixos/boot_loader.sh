#!/bin/sh
# Firmware, boot loader, kernel and initrd of the guest: PID 1 until a system's stage 2 takes over.
#
# As systemd-boot does: an entry that was chosen for one boot is used once and forgotten before it
# is started, so a system that never comes up is left behind at the next power cycle; else the
# default of loader.conf; else the newest entry there is.
loader=/boot/loader

entry=
if [ -s $loader/one-shot ]; then
  entry=$(cat $loader/one-shot)
  rm -f $loader/one-shot
fi
[ -f "$loader/entries/$entry" ] || entry=$(sed -n 's/^default  *//p' $loader/loader.conf)
[ -f "$loader/entries/$entry" ] || entry=$(ls $loader/entries | sort -V | tail -n 1)

init=$(sed -n 's/^options  *init=\([^ ]*\).*/\1/p' "$loader/entries/$entry")
echo "boot loader: $entry, $init"
mkdir -p /run/loader
echo "$entry" > /run/loader/selected
exec "$init" "$@"
