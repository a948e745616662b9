#!/bin/sh
# Stage 2: what a NixOS system does as PID 1 before it becomes systemd.
system=@out@
[ "$(cat $system/fails)" != boot ] || { echo "kernel panic: this system does not come up"; exit 1; }

echo "stage 2: $system"
mkdir -p /run/nixos
$system/activate || echo "stage 2: activation failed, and the boot goes on"
ln -sfn $system /run/booted-system
exec /lib/systemd/systemd "$@"
