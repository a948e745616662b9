#!/bin/sh
# Audit an evidence repository with the keys that this fleet names. For any CI system.
#
#   sh ci/verify-evidence.sh REPOSITORY [OPTION...]
#
# REPOSITORY  a clone with all branches
# OPTION      of `reconciler verify`: --roots DIR, --strict, --sarif FILE
#
# Exit code 0: verified. 6: something is wrong with the evidence. 5: with what was given here.
set -eu
: "${1:?usage: sh ci/verify-evidence.sh REPOSITORY [OPTION...]}"
exec reconciler verify "$@" --signers policies/trust/evidence_signers
