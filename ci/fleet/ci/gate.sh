#!/bin/sh
# What a change means, for whoever reviews it. For any CI system.
#
#   sh ci/gate.sh BASE HEAD REPORT
#
# BASE    where the change would go: a commit, or a branch
# HEAD    the change; it is checked out, and its whole history is there
# REPORT  Markdown goes there: errors, every machine that changes, who must agree
#
# Exit code 0: it may land, as far as machines can tell. 5: it must not.
set -eu
base=${1:?usage: sh ci/gate.sh BASE HEAD REPORT}
head=${2:?usage: sh ci/gate.sh BASE HEAD REPORT}
report=${3:?usage: sh ci/gate.sh BASE HEAD REPORT}

code=0
reconciler check . --base="$base" || code=$?
reconciler plan --format markdown -- "$base" "$head" > "$report" || code=$?
[ -s "$report" ] || echo "The gate could not read this change; its log says why." > "$report"
exit "$code"
