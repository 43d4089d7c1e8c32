#!/usr/bin/env bash
# Prints the path of something from the world of etcd that nobody here wrote, and gets it from Debian or npm if it is not there:
#
#   ensure-etcd.sh server   etcd 3.4 or newer
#   ensure-etcd.sh client   etcdctl 3.4 or newer
#   ensure-etcd.sh python   a Python with the package etcd3
#   ensure-etcd.sh node     a directory of packages for Node: etcd3, @keyv/etcd, keyv
#
# Debian's packages are installed by root, or by sudo if that asks for no password; otherwise they are unpacked into a cache
# directory of this checkout. Ends with 1 and a sentence where it cannot be had.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

# Packages are locked beside the programs that use them, and kept apart from the project's own. Ends the script.
install_for_node() {
  local locked kept
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
# Where Debian's packages are unpacked, apart from each other.
unpacked=$root/node_modules/.cache/quorate/debian-$what
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
  for candidate in "/usr/bin/$name" "$(command -v "$name" || true)" "$unpacked/usr/bin/$name"; do
    if [[ -x $candidate ]] && is_good "$candidate"; then
      echo "$candidate"
      return
    fi
  done
}

# Installs the packages for the whole machine.
#
# $@: what a command of root's begins with; nothing for root
install_for_all() {
  "$@" bash "$root/scripts/lib/install-packages.sh" "${packages[@]}"
}

# Unpacks the packages, and what they depend on that is not installed. Lists are downloaded anew, since only root may
# change those of the machine.
unpack_for_one() {
  local own=$unpacked.apt new=$unpacked.new names deb
  local -a apt=(apt-get -qq -o "Dir::State::lists=$own/lists" -o "Dir::Cache=$own/cache" -o APT::Sandbox::User=)
  rm -rf "$own" "$new"
  mkdir -p "$own/lists/partial" "$own/cache/archives/partial" "$own/debs" "$new"
  "${apt[@]}" update
  mapfile -t names < <("${apt[@]}" --simulate --no-install-recommends install "${packages[@]}" | sed -n 's/^Inst \([^ ]*\) .*/\1/p')
  (cd "$own/debs" && "${apt[@]}" download "${packages[@]}" "${names[@]}")
  for deb in "$own/debs"/*.deb; do dpkg-deb -x "$deb" "$new"; done
  if [[ $what == python ]]; then wrap_python "$new/usr/bin/python3"; fi
  rm -rf "$unpacked" "$own"
  mv "$new" "$unpacked"
}

# Writes a Python that finds the unpacked packages, and the libraries they use.
wrap_python() {
  local libraries=$unpacked/usr/lib/python3/dist-packages
  mkdir -p "$(dirname "$1")"
  {
    echo '#!/bin/sh'
    echo "PYTHONPATH='$libraries' LD_LIBRARY_PATH='$unpacked/usr/lib/$(uname -m)-linux-gnu' exec /usr/bin/python3 \"\$@\""
  } >"$1"
  chmod +x "$1"
}

# In one way or the other: what counts is what is found afterwards.
get_packages() {
  if [[ $EUID == 0 ]]; then
    install_for_all
  elif ! { command -v sudo && sudo -n true && install_for_all sudo -n; }; then
    unpack_for_one
  fi
}

found=$(find_one)
if [[ -z $found ]] && command -v apt-get >/dev/null; then
  (get_packages) >/dev/null 2>&1 || true
  found=$(find_one)
fi
if [[ -n $found ]]; then
  echo "$found"
  exit 0
fi
echo "no ${packages[*]} (Debian's package), and it could be neither installed nor unpacked" >&2
exit 1
