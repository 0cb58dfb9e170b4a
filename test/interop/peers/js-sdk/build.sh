#!/usr/bin/env bash
# The SDK for JavaScript comes with this repository's own packages: prints the program's path.
set -euo pipefail
printf '%s\n' "$(cd "$(dirname "$0")" && pwd)/send-logs.mjs"
