#!/usr/bin/env bash
# Builds quorate and runs its unit and integration tests on another Node: scripts/test-on-node.sh 24
# The binary and the headers for the native addon come with npm's package `node`; the checkout, copied, gets its own
# node_modules, so that this one is left alone. Ends with `N passed, N failed` on a line of its own.
#
#   QUORATE_CACHE   keeps Node, its node_modules and the copy between runs; by default ~/.cache/quorate, for root
#                   /var/cache/quorate: some tests run a member as another user, who must be able to read the copy
set -uo pipefail

major=${1:-}
if [[ ! $major =~ ^[0-9]+$ ]]; then
  echo "usage: $0 MAJOR [STEP...]   for example: $0 24" >&2
  exit 2
fi
shift
steps=("$@")
[[ ${#steps[@]} -gt 0 ]] || steps=(build unit integration)

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
[[ $EUID -eq 0 ]] && cache=/var/cache/quorate || cache=$HOME/.cache/quorate
place=${QUORATE_CACHE:-$cache}/node-$major
runtime=$place/runtime
copy=$place/checkout

give_up() {
  echo "FAILED  $1"
  echo "0 passed, 1 failed"
  exit 1
}

# One run at a time: two would pull the copy from under each other.
mkdir -p "$runtime" "$copy" || give_up "cannot write to $place"
exec 9>"$place/lock"
flock --wait 600 9 || give_up "another run on Node $major does not end"

# Node itself. Kept between runs.
node=$runtime/node_modules/node/bin/node
if [[ $("$node" --version 2>/dev/null) != v$major.* ]]; then
  echo "Installing node@$major ..."
  # npm 12 runs only the install scripts that are named; this one fetches the package with the binary.
  echo '{ "private": true, "allowScripts": { "node": true } }' >"$runtime/package.json"
  (cd "$runtime" && timeout 300 npm install --no-audit --no-fund --no-save "node@$major") >"$place/install.log" 2>&1 \
    || { cat "$place/install.log"; give_up "node@$major cannot be installed"; }
fi
[[ $("$node" --version 2>/dev/null) == v$major.* ]] || give_up "node@$major brought no Node $major"
header=$(find "$runtime/node_modules" -path '*/include/node/node_version.h' -print -quit)
[[ -n $header ]] || give_up "node@$major brought no headers"

# The checkout as it is now, committed or not. node_modules, stubs and dist of an earlier run are kept: each has its own
# way to know whether it is still good.
find "$copy" -mindepth 1 -maxdepth 1 ! -name node_modules ! -name dist ! -name src -exec rm -rf {} + \
  && find "$copy/src" -mindepth 1 -maxdepth 1 ! -name gen -exec rm -rf {} + 2>/dev/null
if git -C "$root" rev-parse --git-dir >/dev/null 2>&1; then
  # Deleted files are still listed until the deletion is committed.
  (cd "$root" && git ls-files --cached --others --exclude-standard -z | while IFS= read -r -d '' file; do
    [[ -e $file || -L $file ]] && printf '%s\0' "$file"
  done) >"$place/files"
else
  (cd "$root" && find . -mindepth 1 \( -path ./node_modules -o -path ./dist -o -path ./.cache -o -path ./src/gen \) -prune \
    -o ! -type d -print0) >"$place/files"
fi
tar -C "$root" --null --files-from="$place/files" -cf - | tar -C "$copy" -xf - || give_up "the checkout cannot be copied"

# The addon compiled here is for this Node; npm_execpath would lead back to the Node that called us.
export PATH="$(dirname "$node"):$PATH"
export npm_config_nodedir=${header%/include/node/node_version.h}
unset npm_execpath npm_node_execpath NODE
cd "$copy" || give_up "$copy is gone"
echo "Node $(node --version), steps: ${steps[*]}"
exec timeout --kill-after=30 2400 node scripts/gate.mjs "${steps[@]}"
