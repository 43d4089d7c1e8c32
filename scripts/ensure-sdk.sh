#!/usr/bin/env bash
# Gets what the SDK examples of one language are built with, from Debian's packages: `ensure-sdk.sh python` or `go`.
# Ends with 1 and a sentence where that cannot be had.
set -euo pipefail

has() { command -v "$@" >/dev/null; }

have_python() {
  has protoc && has grpc_python_plugin && [[ -x /usr/bin/python3 ]] && /usr/bin/python3 -c 'import grpc, google.protobuf' 2>/dev/null
}

have_go() {
  has go && has protoc-gen-go && has protoc-gen-go-grpc && [[ -d /usr/share/gocode/src/google.golang.org/grpc ]]
}

case ${1-} in
  python) packages=(protobuf-compiler protobuf-compiler-grpc python3 python3-grpcio python3-protobuf) ;;
  go) packages=(golang-go golang-google-grpc-dev golang-google-genproto-dev golang-google-protobuf-dev protoc-gen-go protoc-gen-go-grpc) ;;
  *)
    echo "usage: ensure-sdk.sh python|go" >&2
    exit 2
    ;;
esac

if "have_$1"; then exit 0; fi
if [[ $EUID == 0 ]] && has apt-get; then
  "$(dirname "$0")/lib/install-packages.sh" "${packages[@]}" >/dev/null 2>&1 || true
fi
if "have_$1"; then exit 0; fi
echo "The SDK example for $1 needs Debian's packages: ${packages[*]}" >&2
exit 1
