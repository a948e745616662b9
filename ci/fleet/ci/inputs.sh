#!/bin/sh
# Newer inputs of the flake, and what they change on every host. For any CI system with Nix.
#
#   sh ci/inputs.sh OUT
#
# OUT  directory: flake.lock and change.md; nothing in it where the inputs are the newest
#
# Nothing is committed and nothing is pushed. The systems are built, or fetched from caches, before
# and after; a host that does not build any more is said, and is no reason to stop here.
#
# Exit code 0: done. Anything else: Nix could not evaluate what is there already.
set -eu
out=${1:?usage: sh ci/inputs.sh OUT}
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The path of a host's system; nothing where it does not build, and the log has what Nix says of it.
built() {
    nix build --no-link --print-out-paths \
        ".#nixosConfigurations.\"$1\".config.system.build.toplevel" \
        || echo "ci/inputs.sh: $1 does not build; Nix says why above" >&2
}

# Names become names of files here: of what else a flake may call a host, nothing is built.
nix eval --raw .#nixosConfigurations --apply 'hosts: builtins.concatStringsSep "\n" (
    builtins.filter (name: builtins.match "[a-z0-9-]+" name != null) (builtins.attrNames hosts))' \
    > "$work/hosts"
while read -r name || [ -n "$name" ]; do
    built "$name" > "$work/before-$name"
done < "$work/hosts"

cp flake.lock "$work/flake.lock"
nix flake update
if cmp -s flake.lock "$work/flake.lock"; then
    echo "The inputs are the newest."
    exit 0
fi

{
    echo "Newer inputs, proposed by a machine. Take it over with a signed commit (RB-PATCH-001);"
    echo "no appliance accepts this one."
    while read -r name || [ -n "$name" ]; do
        before=$(cat "$work/before-$name")
        after=$(built "$name")
        printf '\n## %s\n\n```\n' "$name"
        if [ -z "$before$after" ]; then
            echo "does not build, and did not before"
        elif [ -z "$after" ]; then
            echo "does not build any more"
        elif [ -z "$before" ]; then
            echo "builds now, and did not before"
        else
            nix store diff-closures "$before" "$after" > "$work/difference"
            # Its colours are for terminals.
            sed 's/\x1b\[[0-9;]*m//g' "$work/difference" | head -n 200
        fi
        echo '```'
    done < "$work/hosts"
} > "$out/change.md"
cp flake.lock "$out/flake.lock"
cp "$work/flake.lock" flake.lock
