#!/bin/sh
# Attest the commit that is checked out, as the newest of main. For any CI system.
#
#   sh ci/attest.sh KIND OUT OPTION...
#
# KIND    release, or heartbeat
# OUT     directory for the new file; ci/publish.sh pushes what is in it
# OPTION  of `reconciler attest KIND`: --keyless as this job, or --key FILE
#
# The branch `attestations` of the clone must be as new as the server's.
set -eu
kind=${1:?usage: sh ci/attest.sh KIND OUT OPTION...}
out=${2:?usage: sh ci/attest.sh KIND OUT OPTION...}
shift 2
exec reconciler attest "$kind" --branch main --output "$out" "$@"
