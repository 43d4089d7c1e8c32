#!/usr/bin/env bash
# Prints the path of something from the world of etcd that nobody here wrote, and installs Debian's package where it may:
#
#   ensure-etcd.sh server   etcd 3.4 or newer
#   ensure-etcd.sh client   etcdctl 3.4 or newer
#   ensure-etcd.sh python   a Python with the package etcd3
#
# Ends with 1 and a sentence where it cannot be had.
set -euo pipefail

what=${1:-}
case $what in
  server) packages=(etcd-server) ;;
  client) packages=(etcd-client) ;;
  python) packages=(python3-etcd3) ;;
  *)
    echo "usage: $0 server|client|python" >&2
    exit 2
    ;;
esac

# The first of these that is there and good enough; nothing if there is none.
find_one() {
  local candidate
  case $what in
    server) for candidate in $(command -v etcd || true); do
      if "$candidate" --version 2>/dev/null | grep -Eq '^etcd Version: 3\.([4-9]|[1-9][0-9])\.'; then echo "$candidate" && return; fi
    done ;;
    client) for candidate in $(command -v etcdctl || true); do
      if ETCDCTL_API=3 "$candidate" version 2>/dev/null | grep -Eq '^etcdctl version: 3\.([4-9]|[1-9][0-9])\.'; then echo "$candidate" && return; fi
    done ;;
    # Debian's own first: a Python put before it on the PATH does not see Debian's packages.
    python) for candidate in /usr/bin/python3 $(command -v python3 || true); do
      if "$candidate" -c 'import etcd3' 2>/dev/null; then echo "$candidate" && return; fi
    done ;;
  esac
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
