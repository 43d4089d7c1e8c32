# shellcheck shell=bash disable=SC2154,SC2016
# Makes the two base images of the Dockerfile without a registry: Debian from packages, and this machine's own Node laid
# out as in the official images. Sourced by test-container.sh, whose functions and variables it uses.

# Counts up when what is made below changes.
base_version=1

# Sets `node_image` and `build_image`, and makes them where the store does not have them.
ensure_base_images() {
  local suite=bookworm
  if [[ $(os_release ID) == debian ]]; then suite=$(os_release VERSION_CODENAME); fi
  find_node
  local key
  key=$(printf '%s\n' "$base_version" "$suite" "$(dpkg --print-architecture)" "$(sha256sum <"$node_binary")" | sha256sum | cut -c1-16)
  node_image=localhost/quorate-test-node:slim-$key
  build_image=localhost/quorate-test-node:build-$key
  if ! has_image "$node_image"; then make_node_image "$suite"; fi
  if ! has_image "$build_image"; then make_build_image; fi
}

has_image() { store inspect --type image "$1" >/dev/null 2>&1; }

os_release() { (. /etc/os-release && printf '%s' "${!1-}"); }

# Sets `node_binary`, `node_npm` and `node_headers`.
find_node() {
  local prefix
  node_binary=$(node -p 'fs.realpathSync(process.execPath)')
  prefix=$(dirname "$(dirname "$node_binary")")
  node_npm=$(node -p 'path.resolve(fs.realpathSync(process.argv[1]), "../..")' "$(command -v npm)")
  node_headers=$prefix/include/node
  [[ -f $node_headers/node.h ]] || fail "no C headers of Node in $node_headers, so the SQLite addon cannot be compiled"
  [[ -f $node_npm/bin/npm-cli.js ]] || fail "no npm in $node_npm"
}

# The counterpart of node:24-bookworm-slim.
make_node_image() {
  local suite=$1 mirror rootfs=$scratch/rootfs container mounted
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' "Codename: $suite" | head -1)
  say "makes a base image of Debian $suite and Node $(node --version) (about a minute; kept for the next time)"
  debootstrap --variant=minbase --include=libstdc++6,ca-certificates "$suite" "$rootfs" "${mirror:-http://deb.debian.org/debian}" \
    >"$scratch/debootstrap.log" 2>&1 || fail "debootstrap failed: $(tail -5 "$scratch/debootstrap.log")"
  rm -rf "$rootfs"/var/cache/apt/archives/*.deb "$rootfs"/var/lib/apt/lists/*
  container=$(store from scratch)
  mounted=$(store mount "$container")
  cp -a "$rootfs/." "$mounted/"
  rm -rf "$rootfs"
  mkdir -p "$mounted/usr/local/bin" "$mounted/usr/local/lib/node_modules" "$mounted/usr/local/include"
  cp "$node_binary" "$mounted/usr/local/bin/node"
  cp -rL "$node_npm" "$mounted/usr/local/lib/node_modules/npm"
  cp -r "$node_headers" "$mounted/usr/local/include/node"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$mounted/usr/local/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$mounted/usr/local/bin/npx"
  chroot "$mounted" /usr/local/bin/node --version >/dev/null || fail "this machine's Node needs libraries that a plain Debian $suite lacks"
  store config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
  store commit --quiet --rm "$container" "$node_image" >/dev/null
}

# The counterpart of node:24-bookworm: the same with what compiles native addons.
make_build_image() {
  local container
  say 'makes the same with a C++ compiler'
  container=$(store from "$node_image")
  store run "$container" -- sh -c 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3 make g++' \
    >"$scratch/toolchain.log" 2>&1 || fail "the compiler cannot be installed: $(tail -5 "$scratch/toolchain.log")"
  store commit --quiet --rm "$container" "$build_image" >/dev/null
}
