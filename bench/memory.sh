#!/bin/sh
# Peak memory on one large layer: memory.sh [GIGABYTES] (10 unless told; needs about as much disk, and /usr/bin/time).
# Prints a line for each command: what it did, peak resident kB, seconds.
set -eu
cd "$(dirname "$0")/.."
size=${1:-10}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
node=node_modules/.bin/node
"$node" bench/large-layer.ts "$folder/source" "$size" 400
measure() {
  /usr/bin/time -f "$* | %M kB | %e s" "$node" bin/ocislim "$1" "oci:$folder/source:v1" "oci:$folder/result:v1" -q $2 >/dev/null
  rm -rf "$folder/result"
}
measure recompress '--compression zstd --level 3'
measure recompress '--compression gzip --level 6'
measure squash '--all'
measure prune '--shadowed'
