#!/usr/bin/env bash
# Installs the SDK of requirements.txt in a virtual environment and prints the path of its python.
# Usage: build.sh
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../home.sh"

version=$(sed -n 's/^opentelemetry-sdk==//p' "$here/requirements.txt")
venv=$peers/python-sdk-$version
if [ ! -x "$venv/bin/python" ] || ! cmp -s "$here/requirements.txt" "$venv/installed.txt"; then
  if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3 python3-venv >&2
  fi
  python3 -m venv --clear "$venv" >&2
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --root-user-action=ignore -r "$here/requirements.txt" >&2
  cp "$here/requirements.txt" "$venv/installed.txt"
fi
printf '%s\n' "$venv/bin/python"
