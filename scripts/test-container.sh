#!/usr/bin/env bash
# Builds the image from the Dockerfile and runs a cluster of three members from it, with neither a registry nor a
# container engine: the base images are made from Debian packages and this machine's Node. Needs root on Debian or a
# relative, and installs buildah and debootstrap where they are missing. Ends with 77 where that cannot be had, which
# outside CI means "left out".
#
#   QUORATE_CACHE   keeps base images and build layers between runs; by default ~/.cache/quorate
set -euo pipefail
cd "$(dirname "$0")/.."

cache=${QUORATE_CACHE:-$HOME/.cache/quorate}/container
max_cache_mib=6000
image=localhost/quorate-test
members=(c1 c2 c3)
declare -A launcher=()

say() { printf 'container: %s\n' "$*"; }
fail() {
  say "FAILED: $*" >&2
  exit 1
}
leave_out() {
  if [[ -n ${CI-} ]]; then fail "$*"; fi
  say "LEFT OUT: $*"
  exit 77
}

# buildah on a store of our own. Without namespaces of its own (chroot), because those may be forbidden where CI runs.
store() { BUILDAH_ISOLATION=chroot TMPDIR=$cache/tmp buildah --root "$cache/storage" --runroot "$cache/runroot" "$@"; }

source scripts/container/base-images.sh

prepare() {
  # A hosted CI gives root by sudo. On a person's machine nothing is installed without being asked.
  if ((EUID != 0)) && [[ -n ${CI-} ]] && sudo -n true 2>/dev/null; then
    exec sudo --preserve-env env "PATH=$PATH" bash scripts/test-container.sh
  fi
  if ((EUID != 0)); then leave_out 'needs root, to install packages and to mount'; fi
  if ! command -v apt-get >/dev/null; then leave_out 'needs Debian, for its packages'; fi
  if ! command -v buildah >/dev/null || ! command -v debootstrap >/dev/null || [[ ! -f /usr/share/keyrings/debian-archive-keyring.gpg ]]; then
    say 'installs buildah and debootstrap'
    scripts/lib/install-packages.sh buildah debootstrap debian-archive-keyring util-linux >/dev/null \
      || leave_out 'buildah and debootstrap cannot be installed'
  fi
  mkdir -p "$cache/tmp"
  exec 9>"$cache/lock"
  flock --wait 600 9 || fail "another run still holds $cache/lock"
  # What a run that was killed has left.
  store umount --all >/dev/null 2>&1 || true
  store rm --all >/dev/null 2>&1 || true
  rm -rf "$cache"/run.*
  if (($(du -sxm "$cache" | cut -f1) > max_cache_mib)); then
    say "empties its cache, which is over $max_cache_mib MiB"
    store rmi --all --force >/dev/null 2>&1 || true
    rm -rf "$cache/tmp"/*
  fi
  scratch=$(mktemp -d "$cache/run.XXXXXX")
  trap clean_up EXIT
  trap 'exit 130' INT TERM
}

clean_up() {
  local code=$? pid
  trap '' INT TERM
  for pid in "${launcher[@]}"; do kill -KILL "$(member_of "$pid")" 2>/dev/null || true; done
  wait || true
  if ((code != 0)); then tail -n 5 "$scratch"/*.log 2>/dev/null >&2 || true; fi
  store umount --all >/dev/null 2>&1 || true
  store rm --all >/dev/null 2>&1 || true
  rm -rf "$scratch"
}

# Lets npm inside the build reach what npm reaches outside, by mounts that leave nothing in the image.
npm_settings=()
collect_npm_settings() {
  local rc=$scratch/npmrc bundle inside=/etc/ssl/certs/ca-certificates.crt
  (umask 077 && { cat "$(npm config get userconfig 2>/dev/null)" 2>/dev/null || true; } | grep -v '^cafile' >"$rc") || true
  printf 'registry=%s\nfetch-retries=3\nfetch-retry-mintimeout=1000\n' "$(npm config get registry 2>/dev/null)" >>"$rc"
  npm_settings=(--secret "id=npmrc,src=$rc")
  bundle=$(npm config get cafile 2>/dev/null)
  if [[ ! -f $bundle ]]; then bundle=${NODE_EXTRA_CA_CERTS-}; fi
  if [[ -f $bundle ]]; then
    printf 'cafile=%s\n' "$inside" >>"$rc"
    npm_settings+=(--volume "$bundle:$inside:ro")
  fi
}

build_image() {
  local log=$scratch/build.log
  say 'builds the image'
  store bud --layers "${npm_settings[@]}" --build-arg "NODE_IMAGE=$node_image" --build-arg "BUILD_IMAGE=$build_image" \
    --tag "$image" . >"$log" 2>&1 || { tail -n 40 "$log" >&2; fail 'the image does not build'; }
  root=$(store mount "$(store from "$image")")
  mkdir "$scratch/config"
  store inspect --type image "$image" | node scripts/container/write-config.mjs "$scratch/config" ||
    fail 'the image is not configured as engines and k8s/ expect'
  user=$(<"$scratch/config/user")
}

# Runs something in the image to its end, with a fresh volume.
run_once() {
  local data
  data=$(mktemp -d "$scratch/once.XXXXXX")
  chown "$user" "$data"
  timeout --kill-after=5 30 scripts/container/run-image.sh "$root" "$scratch/config" "$data" "$@"
}

check_contents() {
  local app=$root/opt/quorate
  [[ -f $app/dist/main.js && -f $app/dist/gen/descriptors.binpb ]] || fail 'dist/main.js or the descriptors of the API are missing'
  [[ $(stat -c %u:%g "$root/var/lib/quorate") == "$user" ]] || fail 'the data directory does not belong to the user of the image'
  [[ ! -e $app/dist/sim ]] || fail 'the simulator is in the image'
  [[ ! -e $app/node_modules/typescript ]] || fail 'development packages are in the image'
  [[ ! -e $root/root/.npmrc ]] || fail 'npm settings of the build are in the image'
  [[ ! -e $root/usr/bin/g++ ]] || fail 'the compiler is in the image'
  run_once --version >/dev/null || fail 'quorate --version does not run'
  run_once -- node -e '
    const assert = require("node:assert"), fs = require("node:fs"), Database = require("better-sqlite3");
    const status = Object.fromEntries(fs.readFileSync("/proc/self/status", "utf8").split("\n").map((line) => line.split(":\t")));
    assert.notEqual(process.getuid(), 0, "runs as root");
    assert.equal(Number(`0x${status.CapEff}`), 0, "has capabilities");
    for (const path of ["/probe", "/tmp/probe", "/opt/quorate/probe"]) assert.throws(() => fs.writeFileSync(path, ""), /EROFS/);
    // A sort too large for memory makes SQLite write a temporary file.
    const db = new Database(process.env.QUORATE_DATA_DIR + "/probe.db");
    db.pragma("temp_store = FILE"); db.pragma("cache_size = 10");
    const series = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 300000)";
    db.prepare(`${series} select count(*) from (select hex(randomblob(16)) as x from n order by x)`).get();
    db.exec(`create temp table t as ${series} select hex(randomblob(16)) as x from n; create index temp.i on t(x)`);
  ' || fail 'the image does not work as a user without rights on a read-only root file system'
  say "the image adds $(du -sm "$app" | cut -f1) MiB to its base"
}

# Six ports nobody uses: client and peer port of each member.
choose_ports() {
  mapfile -t ports < <(node -e '
    const servers = Array.from({ length: 6 }, () => require("node:net").createServer().listen(0, "127.0.0.1"));
    setTimeout(() => { for (const server of servers) { console.log(server.address().port); server.close(); } }, 50);')
  initial=
  local at
  for at in 0 1 2; do
    client[at]=127.0.0.1:${ports[2 * at]}
    peer[at]=127.0.0.1:${ports[2 * at + 1]}
    initial+=${initial:+,}${members[at]}=${peer[at]}/${client[at]}
  done
}

start_member() {
  local at=$1 name=${members[$1]}
  mkdir -p "$scratch/data-$name"
  chown "$user" "$scratch/data-$name"
  scripts/container/run-image.sh "$root" "$scratch/config" "$scratch/data-$name" serve --name "$name" \
    --initial-members "$initial" --client-listen "${client[at]}" --peer-listen "${peer[at]}" >>"$scratch/$name.log" 2>&1 9>&- &
  launcher[$name]=$!
}

# The member itself: the only child of what launched it.
member_of() { ps -o pid= --ppid "$1" | tr -d ' '; }

# Ends a member with a signal and sets `code` to how it ended.
end_member() {
  local name=$1 signal=$2
  kill "-$signal" "$(member_of "${launcher[$name]}")"
  code=0
  wait "${launcher[$name]}" || code=$?
  unset "launcher[$name]"
}

# A call by a client that knows the service only by reflection.
call() {
  timeout 20 node_modules/.bin/buf curl --protocol grpc --http2-prior-knowledge --emit-defaults \
    -d "$3" "http://${client[$1]}/quorate.v1.KVService/$2"
}

# Retries until it works, 30 s at most: a leader may have to be found first.
put() {
  local give_up=$((SECONDS + 30))
  until call "$1" Put "{\"key\":\"$2\",\"text\":\"$3\"}" >"$scratch/call.log" 2>&1; do
    ((SECONDS < give_up)) || fail "${members[$1]} takes no write: $(<"$scratch/call.log")"
    sleep 0.2
  done
}

expect() {
  local answer
  answer=$(call "$1" Get "{\"key\":\"$2\"}" 2>&1) || fail "${members[$1]} answers no read of $2: $answer"
  [[ $answer == *"\"text\": \"$3\""* ]] || fail "${members[$1]} should have $2=$3 and answers $answer"
}

# Asks the image's own command until all members agree on one leader, and sets `leader` to its number.
find_leader() {
  local give_up=$((SECONDS + 30)) endpoints=${client[0]},${client[1]},${client[2]}
  until run_once status --check --endpoints "$endpoints" --output json >"$scratch/status.log" 2>&1; do
    ((SECONDS < give_up)) || fail "quorate status --check, run from the image: $(<"$scratch/status.log")"
    sleep 0.2
  done
  leader=$(node -p '
    const { members } = JSON.parse(fs.readFileSync(process.argv[1], "utf8"));
    const { member } = members.find(({ role }) => role === "leader");
    process.argv.slice(2).indexOf(member.name)' "$scratch/status.log" "${members[@]}")
}

run_cluster() {
  local at leader others code
  say 'starts three members from it'
  choose_ports
  for at in 0 1 2; do start_member "$at"; done
  for at in 0 1 2; do put "$at" "by-${members[at]}" "value-$at"; done
  for at in 0 1 2; do
    expect "$at" by-c1 value-0
    expect "$at" by-c2 value-1
    expect "$at" by-c3 value-2
  done

  find_leader
  others=($(((leader + 1) % 3)) $(((leader + 2) % 3)))
  say "kills the leader, ${members[leader]}"
  end_member "${members[leader]}" KILL
  put "${others[0]}" after-kill still-here
  expect "${others[1]}" after-kill still-here
  start_member "$leader"
  put "$leader" restarted yes
  expect "$leader" after-kill still-here
  expect "$leader" by-c1 value-0
  find_leader

  say 'stops all with SIGTERM'
  for at in 0 1 2; do
    end_member "${members[at]}" TERM
    ((code == 0)) || fail "${members[at]} ended with code $code on SIGTERM instead of 0"
  done
}

declare -a client=() peer=()
prepare
ensure_base_images
collect_npm_settings
build_image
check_contents
run_cluster
say "PASSED in $SECONDS s: the image builds, runs as user ${user%:*} without capabilities on a read-only root, and three members from it serve through every member, survive a killed leader and end with 0 on SIGTERM"
