#!/bin/sh
# One layer of 200 MB appended to an image in a registry, at gzip 6: append.sh LAYOUT:TAG [ROUNDS] [SECONDS]
# Contenders in turns, each round: ocislim with the files as a directory and as a tar, crane (which knows level 1 only), gzip -6 before
# crane, buildah (its base pulled before). Those that are not installed are left out. Prints name, seconds, CPU seconds, peak kB.
# Needs root for buildah, /usr/bin/time, python3, and 2 GB of disk. SECONDS: no round begins after these (900 unless told).
set -eu
cd "$(dirname "$0")/.."
image=$1
rounds=${2:-5}
end=$(($(date +%s) + ${3:-900}))
here=$PWD
folder=$(mktemp -d)
PATH=$here/node_modules/.bin:$PATH
port=5077
ocislim() { node "$here/bin/ocislim" "$@"; }
node "$here/bin/ocislim" registry serve -d "$folder/registry" --port "$port" -q 2>/dev/null &
registry=$!
trap 'kill "$registry"; rm -rf "$folder"' EXIT
cd "$folder"
# The libraries of this machine, as far as 200 MB go: what layers hold.
python3 - <<'PYTHON'
import os, shutil
total = 0
for root, folders, files in os.walk('/usr/lib'):
    folders.sort()
    for name in sorted(files):
        path = os.path.join(root, name)
        if total > 200e6 or os.path.islink(path) or not 2e3 < os.path.getsize(path) < 20e6: continue
        os.makedirs('files' + root, exist_ok=True)
        shutil.copyfile(path, 'files' + path)
        total += os.path.getsize(path)
PYTHON
tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C files -cf files.tar .
until ocislim copy "oci:$image" "localhost:$port/base:1" -q >/dev/null 2>&1; do sleep 1; done

measure() {
  name=$1
  shift
  /usr/bin/time -o time -f '%e %U %S %M' "$@" >/dev/null 2>log || { echo "$name failed: $(tail -1 log)"; return; }
  awk -v name="$name" '{ printf "%s %.1f s, %.1f s CPU, %d kB\n", name, $1, $2 + $3, $4 }' time
}
store="--root $folder/store --runroot $folder/run --storage-driver vfs"
if command -v buildah >/dev/null; then
  # shellcheck disable=SC2086
  buildah $store pull --tls-verify=false "docker://localhost:$port/base:1" >/dev/null 2>&1
fi
layer='--compression gzip --level 6 -q'
round=0
while [ "$round" -lt "$rounds" ] && [ "$(date +%s)" -lt "$end" ]; do
  round=$((round + 1))
  to=localhost:$port/r$round
  # shellcheck disable=SC2086
  measure ocislim-directory node "$here/bin/ocislim" append "localhost:$port/base:1" "$to-a:1" --layer files $layer
  # shellcheck disable=SC2086
  measure ocislim-tar node "$here/bin/ocislim" append "localhost:$port/base:1" "$to-b:1" --layer files.tar $layer
  if command -v crane >/dev/null; then
    measure crane-level-1 crane append --insecure -b "localhost:$port/base:1" -f files.tar -t "$to-c:1"
    measure gzip-6-and-crane sh -c "gzip -6 <files.tar >files.tar.gz && crane append --insecure -b localhost:$port/base:1 -f files.tar.gz -t $to-d:1"
  fi
  if command -v buildah >/dev/null; then
    measure buildah sh -c "set -e; c=\$(buildah $store from --pull=never localhost:$port/base:1); buildah $store add -q \$c files.tar / ; buildah $store commit -q --rm \$c built:$round; buildah $store push --tls-verify=false --compression-format gzip --compression-level 6 built:$round docker://$to-e:1"
  fi
done
