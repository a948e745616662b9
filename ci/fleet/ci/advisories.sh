#!/bin/sh
# What a scanner finds in the system of every NixOS host, as documents that people sign. For any CI
# system with Nix and reconciler.
#
#   sh ci/advisories.sh OUT
#
# OUT  directory: policies/vulnerabilities/CLIENT/HOST.yaml of every host, and change.md
#
# The systems are those of the commit that is checked out, built or fetched from caches. The scanner
# is grype of the nixpkgs that the flake is locked to; its advisories are fetched first. Nothing is
# committed and nothing is pushed.
#
# Exit code 0: every host was scanned. Anything else: not every one, and OUT is not to be used.
set -eu
out=${1:?usage: sh ci/advisories.sh OUT}
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GRYPE_DB_CACHE_DIR="$work/advisories" GRYPE_DB_AUTO_UPDATE=false
export GRYPE_CHECK_FOR_APP_UPDATE=false

scanner=$(nix build --no-link --print-out-paths --inputs-from . nixpkgs#grype)/bin/grype
"$scanner" db update > "$work/said"
"$scanner" db status --output json > "$work/said"
as_of=$(sed -n 's/.*"built": *"\([0-9-]\{10\}\)T.*/\1/p' "$work/said")

{
    echo "What a scanner finds in the systems of this commit. Take the files over with a signed"
    echo "commit (docs/howto/vulnerabilities.md); no appliance accepts this one."
    printf '\n```\n'
} > "$out/change.md"
for file in hosts/*/*.nix; do
    [ -e "$file" ] || continue
    target=${file#hosts/}
    target=${target%.nix}
    # Names become names of files, and of what Nix builds.
    case $target in *[!a-z0-9/-]*) echo "$file: no host may be called so" >&2; exit 1 ;; esac
    system=$(nix build --no-link --print-out-paths \
        ".#nixosConfigurations.\"${target%/*}-${target#*/}\".config.system.build.toplevel")
    reconciler sbom --system "$system" --format cyclonedx --output "$work/bill.json"
    "$scanner" "sbom:$work/bill.json" --add-cpes-if-none --output cyclonedx-json \
        --file "$work/scan.json"
    mkdir -p "$out/policies/vulnerabilities/${target%/*}"
    reconciler advisories "$work/scan.json" --host "$target" --system "$system" --as-of "$as_of" \
        > "$out/policies/vulnerabilities/$target.yaml" 2>> "$out/change.md"
done
echo '```' >> "$out/change.md"
