# Sourced by each build.sh: $peers is where builds are kept, one folder a peer and version.
peers=${PEERS_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/agent-audit-peers}
mkdir -p "$peers"
peers=$(cd "$peers" && pwd)
