#!/usr/bin/env bash
# Builds the OpenTelemetry Collector of go.mod and prints the path of the binary; what is built is not built again.
# Needs Go 1.26 or later. PEERS_HOME says where builds live, default ~/.cache/agent-audit-peers.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../home.sh"
dir=$peers/otelcol-0.165.0
if [ ! -x "$dir/otelcol-audit" ] || ! cmp -s "$here/go.sum" "$dir/go.sum"; then
  mkdir -p "$dir"
  (cd "$here" && CGO_ENABLED=0 GOFLAGS='-mod=readonly -buildvcs=false' \
    go build -trimpath -ldflags='-s -w' -o "$dir/otelcol-audit.part" . >&2)
  mv "$dir/otelcol-audit.part" "$dir/otelcol-audit"
  cp "$here/go.sum" "$dir/go.sum"
fi
printf '%s\n' "$dir/otelcol-audit"
