#!/usr/bin/env bash
# Assembles what is deployed.
#
#   ./deploy.sh stage [NAME…]    build/NAME/ for each function (all three without a NAME), which is what ships,
#                                what the local system runs, and what one function alone is started from:
#                                functions-framework --source build/launch/main.py --target launch
#
# BUILD_FOLDER says where to, if not build/.
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
build=${BUILD_FOLDER:-$root/build}
functions=(dispatch launch complete)

fail() {
  printf 'deploy.sh: %s\n' "$1" >&2
  exit 2
}

usage() {
  sed -n '2,/^set /{ /^#/ s/^# \{0,1\}//p }' "${BASH_SOURCE[0]}"
}

# One function's source folder: its main.py, the requirements, and the package that the functions share.
# gcloud drops symbolic links to folders from what it uploads: these are copies.
stage_function() {
  local name=$1 fresh
  [[ -f $root/functions/$name/main.py ]] || fail "there is no function '$name'; there are: ${functions[*]}"
  mkdir -p "$build"
  fresh=$(mktemp -d "$build/.$name.XXXXXX")
  cp "$root/functions/$name/main.py" "$root/requirements.txt" "$fresh/"
  cp -R "$root/shared" "$fresh/shared"
  find "$fresh" -name __pycache__ -prune -exec rm -rf {} +
  chmod 755 "$fresh"
  # Whole or not at all: a failed stage leaves the former one.
  rm -rf "${build:?}/$name"
  mv "$fresh" "$build/$name"
}

stage() {
  local name
  if [[ $# -eq 0 ]]; then set -- "${functions[@]}"; fi
  for name; do stage_function "$name"; done
  printf 'Staged in %s: %s\n' "$build" "$*"
}

case ${1:-} in
  stage) shift && stage "$@" ;;
  help | --help | -h) usage ;;
  '') usage >&2 && exit 2 ;;
  *) fail "unknown command '$1'; ./deploy.sh help lists them" ;;
esac
