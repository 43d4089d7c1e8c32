#!/usr/bin/env bash
# Runs an image as Kubernetes would, without a container engine: read-only root file system, one writable volume, the
# image's own user, variables, directory and entry point, process id 1, no capabilities, no new privileges. Only the
# network is the machine's, and there is no seccomp filter.
#
#   run-image.sh ROOT CONFIG DATA [ARGUMENT...]
#
# ROOT is the mounted image, CONFIG a folder written by write-config.mjs, DATA a folder for /var/lib/quorate. Arguments
# take the place of CMD; after `--` they take the place of ENTRYPOINT and CMD. Ends with the code of the program.
set -euo pipefail

if [[ ${1-} != --inside ]]; then
  exec unshare --mount --pid --fork --propagation private -- "$0" --inside "$@"
fi
shift
root=$1 config=$2 data=$3
shift 3

mapfile -d '' env <"$config/env"
mapfile -d '' entrypoint <"$config/entrypoint"
mapfile -d '' command <"$config/command"
if [[ ${1-} == -- ]]; then
  shift
  entrypoint=()
  command=("$@")
elif (($# > 0)); then
  command=("$@")
fi

# Everything below is seen by this process alone, and ends with it.
mount --bind "$root" "$root"
mount -t proc -o nosuid,noexec,nodev proc "$root/proc"
mount -t tmpfs -o mode=755,nosuid,size=64k tmpfs "$root/dev"
for device in null zero random urandom; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mount --bind "$data" "$root/var/lib/quorate"
mount -o remount,bind,ro "$root"

user=$(<"$config/user")
exec setpriv --no-new-privs chroot --userspec="$user" --groups="${user#*:}" "$root" \
  env -i -C "$(<"$config/directory")" "${env[@]}" "${entrypoint[@]}" "${command[@]}"
