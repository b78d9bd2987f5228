#!/usr/bin/env bash
# Makes the virtual environment .venv with the pinned and hashed packages of requirements-dev.txt.
# A virtual environment that is broken, unfinished, or of a Python that is too old is made anew.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

# The newest Python is not the safest: a package may have no build for it yet.
candidates=("${PYTHON:-python3}" python3.12 python3.11 python3.13 python3.14)
usable='import sys; sys.exit(sys.version_info < (3, 11))'

find_python() {
  local candidate
  for candidate in "${candidates[@]}"; do
    if "$candidate" -c "$usable" 2>/dev/null; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  # None will do: the first tells what is wrong with it.
  printf '%s\n' "${candidates[0]}"
}

works() {
  .venv/bin/python -c "$usable" 2>/dev/null && .venv/bin/python -m pip --version >/dev/null 2>&1
}

python=$(find_python)
if ! command -v "$python" >/dev/null; then
  printf 'Missing: Python 3.11 or newer.\n    On Debian: apt-get install python3 python3-venv\n' >&2
  exit 1
fi
"$python" local/prerequisites.py --python

if ! works; then
  printf 'Making .venv with %s …\n' "$("$python" --version)"
  "$python" -m venv --clear .venv
fi
printf 'Installing the packages of requirements-dev.txt into .venv (about a minute, once) …\n'
# The list is complete. Without --no-deps, pip before 23.3 looks at the newest release of a package that is asked for
# with an extra (google-auth[pyopenssl]), and stops where that is not the pinned one.
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.txt
touch .venv/installed
