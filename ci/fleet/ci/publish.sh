#!/bin/sh
# Push attestations to their branch, beside what others push there meanwhile. For any CI system.
#
#   sh ci/publish.sh FILES [REMOTE]
#
# FILES   directory as ci/attest.sh left it; what is in it goes to the same place on the branch
# REMOTE  where to, and from where: a remote of this clone, with its credentials. Default: origin
#
# The commits of that branch need no signature: every file on it proves itself.
set -eu
files=${1:?usage: sh ci/publish.sh FILES [REMOTE]}
remote=${2:-origin}
branch=attestations
if [ -z "$(find "$files" -type f -name '*.json')" ]; then
  echo "ci/publish.sh: there is no attestation in $files" >&2
  exit 5
fi

repository=$(git rev-parse --absolute-git-dir)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GIT_INDEX_FILE="$work/index"
export GIT_AUTHOR_NAME=ci GIT_AUTHOR_EMAIL=ci@localhost
export GIT_COMMITTER_NAME=ci GIT_COMMITTER_EMAIL=ci@localhost

# Somebody else may push first: then once more, on top of theirs.
for attempt in 1 2 3 4 5; do
  parent=$(git ls-remote "$remote" "refs/heads/$branch")
  parent=${parent%%[!0-9a-f]*}
  rm -f "$GIT_INDEX_FILE"
  if [ -n "$parent" ]; then
    git fetch --quiet --no-tags "$remote" "refs/heads/$branch"
    git read-tree "$parent"
  fi
  git -C "$files" -c core.autocrlf=false --git-dir="$repository" --work-tree=. add --force --ignore-removal .
  tree=$(git write-tree)
  commit=$(git commit-tree "$tree" ${parent:+-p "$parent"} -m "Attest")
  git push --quiet "$remote" "$commit:refs/heads/$branch" && exit 0
  echo "ci/publish.sh: push $attempt was refused" >&2
  sleep "$attempt"
done
exit 7
