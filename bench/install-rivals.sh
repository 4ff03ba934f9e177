#!/bin/bash
# Installs what ocislim is measured against: install-rivals.sh DIR, then `npm run bench -- --bin DIR …`.
# Debian's packages go where apt-get puts them (as root); the others into DIR. What cannot be had is named at the end,
# and the benchmark goes on without it.
set -uo pipefail
[ $# -eq 1 ] || { echo 'usage: install-rivals.sh DIR' >&2; exit 2; }
mkdir -p "$1"
DIR=$(cd "$1" && pwd)
missing=()

for package in time skopeo umoci buildah docker-registry isal pigz zstd; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' && continue
  if [ "$(id -u)" != 0 ]; then missing+=("$package (apt-get needs root)"); continue; fi
  [ -n "${updated:-}" ] || { apt-get update -q; updated=1; }
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" || missing+=("$package")
done

# With the GOPROXY and GOFLAGS that this machine has.
go_install() { # NAME MODULE@VERSION
  [ -x "$DIR/$1" ] && return
  command -v go >/dev/null || { missing+=("$1 (no go)"); return; }
  GOBIN=$DIR go install "$2" || missing+=("$1")
}
go_install crane github.com/google/go-containerregistry/cmd/crane@v0.22.1
go_install regctl github.com/regclient/regclient/cmd/regctl@v0.11.7
go_install dive github.com/wagoodman/dive@v0.13.1

if [ ! -x "$DIR/docker-squash-python" ]; then
  if python3 -m venv "$DIR/docker-squash" && "$DIR/docker-squash/bin/pip" install -q docker-squash==1.2.2; then
    # A link would forget where its packages are.
    printf '#!/bin/sh\nexec "%s" "$@"\n' "$DIR/docker-squash/bin/python" >"$DIR/docker-squash-python"
    chmod +x "$DIR/docker-squash-python"
  else
    missing+=(docker-squash)
  fi
fi

[ ${#missing[@]} -eq 0 ] || printf 'missing: %s\n' "${missing[@]}"
