#!/usr/bin/env bash
# Prints the path of something from the world of etcd that nobody here wrote, and installs it where it may, from Debian or npm:
#
#   ensure-etcd.sh server   etcd 3.4 or newer
#   ensure-etcd.sh client   etcdctl 3.4 or newer
#   ensure-etcd.sh python   a Python with the package etcd3
#   ensure-etcd.sh node     a directory of packages for Node: etcd3, @keyv/etcd, keyv
#
# Ends with 1 and a sentence where it cannot be had.
set -euo pipefail

# Packages are locked beside the programs that use them, and kept apart from the project's own. Ends the script.
install_for_node() {
  local root locked kept
  root=$(cd "$(dirname "$0")/.." && pwd)
  locked=$root/test/compat/programs
  kept=$root/node_modules/.cache/quorate/etcd-programs
  if ! cmp -s "$locked/package-lock.json" "$kept/installed"; then
    mkdir -p "$kept"
    cp "$locked/package.json" "$locked/package-lock.json" "$kept"
    if ! (cd "$kept" && npm ci --ignore-scripts --no-audit --no-fund) >/dev/null 2>&1; then
      echo "no packages as locked in test/compat/programs, and they could not be installed from npm" >&2
      exit 1
    fi
    cp "$locked/package-lock.json" "$kept/installed"
  fi
  echo "$kept/node_modules"
  exit 0
}

what=${1:-}
case $what in
  server) packages=(etcd-server) ;;
  client) packages=(etcd-client) ;;
  python) packages=(python3-etcd3) ;;
  node) install_for_node ;;
  *)
    echo "usage: $0 server|client|python|node" >&2
    exit 2
    ;;
esac

# Whether this one is good enough. What it says is read to its end first: a program whose reader leaves early fails.
is_good() {
  local said
  case $what in
    server) said=$("$1" --version 2>/dev/null) && [[ $said =~ 'etcd Version: 3.'([4-9]|[1-9][0-9])\. ]] ;;
    client) said=$(ETCDCTL_API=3 "$1" version 2>/dev/null) && [[ $said =~ 'etcdctl version: 3.'([4-9]|[1-9][0-9])\. ]] ;;
    python) "$1" -c 'import etcd3' 2>/dev/null ;;
  esac
}

# The first that is there and good enough; nothing if there is none.
find_one() {
  local name=etcd candidate
  if [[ $what == client ]]; then name=etcdctl; fi
  # Debian's own Python first: another one that comes before it on the PATH does not see Debian's packages.
  if [[ $what == python ]]; then name=python3; fi
  for candidate in "/usr/bin/$name" $(command -v "$name" || true); do
    if [[ -x $candidate ]] && is_good "$candidate"; then
      echo "$candidate"
      return
    fi
  done
}

found=$(find_one)
if [[ -z $found && $EUID == 0 ]] && command -v apt-get >/dev/null; then
  # RUNLEVEL: the package's own service is not started.
  { apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}"; } >/dev/null 2>&1 || true
  found=$(find_one)
fi
if [[ -n $found ]]; then
  echo "$found"
  exit 0
fi
echo "no ${packages[*]} (Debian's package), and it could not be installed" >&2
exit 1
