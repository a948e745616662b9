#!/bin/sh
# Which ring may run a release next, by the evidence of those that run it. For any CI system.
#
#   sh ci/rings.sh OUT REPOSITORY...
#
# OUT         directory: report.txt, and change.patch if a ring may be opened, for a person to sign
# REPOSITORY  a clone of an evidence repository with all branches
#
# The branch `attestations` of this clone must be as new as the server's. Keys of appliances are
# those of policies/trust/evidence_signers.
#
# Exit code 0: nothing to open, or it is in change.patch. 1: a rollout is halted. 6: evidence does
# not verify. 5: something is wrong with what was given here.
set -eu
out=${1:?usage: sh ci/rings.sh OUT REPOSITORY...}
: "${2:?usage: sh ci/rings.sh OUT REPOSITORY...}"
shift
for repository; do
    shift
    set -- "$@" --evidence "$repository"
done
mkdir -p "$out"
code=0
reconciler rings "$@" --write > "$out/report.txt" || code=$?
cat "$out/report.txt"
# To git, a new file is no change before it is told of it.
[ ! -e policies/promotions.yaml ] || git add --intent-to-add policies/promotions.yaml
git diff --no-ext-diff --output="$out/change.patch" -- policies/promotions.yaml
[ -s "$out/change.patch" ] || rm -f "$out/change.patch"
exit "$code"
