#!/bin/sh
# Build the system of every NixOS host of the commit that is checked out, sign what came out, and
# leave the closures in a directory that is a binary cache. For any CI system that has Nix.
#
#   sh ci/release.sh OUT CACHE KEY OPTION...
#
# OUT     directory for the new attestation; ci/publish.sh pushes what is in it, after the closures
# CACHE   directory for the closures; copy it to where hosts fetch from
# KEY     file with the key of Nix that signs closures
# OPTION  of `reconciler release`: --keyless as this job, or --key FILE; --earlier URL
#
# The branch `attestations` of the clone must be as new as the server's.
set -eu
out=${1:?usage: sh ci/release.sh OUT CACHE KEY OPTION...}
cache=${2:?usage: sh ci/release.sh OUT CACHE KEY OPTION...}
key=${3:?usage: sh ci/release.sh OUT CACHE KEY OPTION...}
shift 3
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
exec reconciler release --branch main --output "$out" --cache "file://$cache" --cache-key "$key" "$@"
