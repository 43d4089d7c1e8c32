#!/usr/bin/env bash
# Installs Debian's packages for the whole machine, as root: install-packages.sh PACKAGE...
# One at a time: apt turns away whoever comes while another is at work, and tests install theirs side by side.
set -euo pipefail
exec 9>"${TMPDIR:-/tmp}/quorate-apt.lock"
flock --wait 300 9
apt-get update -qq || true
# RUNLEVEL: services that packages bring are not started.
RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
