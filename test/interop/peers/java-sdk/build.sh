#!/usr/bin/env bash
# Builds SendLogs with the SDK of pom.xml and prints the class path: java -cp "$(build.sh)" SendLogs RECORDS.json
# Usage: build.sh
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../home.sh"

for command in java javac mvn; do
  command -v "$command" >/dev/null || { echo "error: $command is missing" >&2; exit 1; }
done
sources=$(cd "$here" && cat pom.xml SendLogs.java | sha256sum | cut -c1-12)
dir=$peers/java-sdk-$sources
if [ ! -e "$dir/built" ]; then
  rm -rf "$dir"
  mkdir -p "$dir/lib" "$dir/classes"
  mvn --batch-mode --quiet --strict-checksums -Dstyle.color=never -f "$here/pom.xml" \
    dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$dir/lib" >&2
  javac --release 17 -cp "$dir/lib/*" -d "$dir/classes" "$here/SendLogs.java" >&2
  : >"$dir/built"
fi
printf '%s\n' "$dir/classes:$dir/lib/*"
