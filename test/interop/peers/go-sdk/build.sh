#!/usr/bin/env bash
# Builds send-logs with the SDK of go.mod and prints the path of the binary.
# Usage: build.sh
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../home.sh"

version=$(sed -n 's|.*go.opentelemetry.io/otel/sdk/log v||p' "$here/go.mod")
sources=$(cd "$here" && cat go.mod go.sum main.go | sha256sum | cut -c1-12)
binary=$peers/go-sdk-$version-$sources/send-logs
if [ ! -x "$binary" ]; then
  mkdir -p "$(dirname "$binary")"
  (cd "$here" && CGO_ENABLED=0 GOFLAGS='-mod=readonly -buildvcs=false' go build -trimpath -ldflags='-s -w' -o "$binary.part" . >&2)
  mv "$binary.part" "$binary"
fi
printf '%s\n' "$binary"
