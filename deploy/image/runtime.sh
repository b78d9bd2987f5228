#!/usr/bin/env bash
# Makes what the job runs on: pinned and hashed packages, without what the job never loads, and compiled.
#
#   deploy/image/runtime.sh PYTHON REQUIREMENTS APP
#
# PYTHON, the image's interpreter or a virtual environment's, gets the packages of REQUIREMENTS; APP is the folder
# with our own code. Both end up compiled. pip is that of the python3 on PATH.
set -euo pipefail

python=$1 requirements=$2 app=$3
packages=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')

# The list is complete, hence --no-deps. Wheels only: nothing is built, so that no compiler is needed.
python3 -m pip --python "$python" install --quiet --disable-pip-version-check --no-compile \
  --no-deps --require-hashes --only-binary=:all: --requirement="$requirements"

# Of the descriptions of all of Google's APIs (100 MB), the two that are read (shared/clients.py).
find "$packages/googleapiclient/discovery_cache/documents" -type f \
  -not -name sheets.v4.json -not -name drive.v3.json -delete
# Arrow's C++ headers, sources and tests, and its protocol for other query engines (45 MB).
rm -rf "$packages"/pyarrow/{include,includes,src,tests}
find "$packages/pyarrow" -type f \( -name '*.pyx' -o -name '*.pxd' -o -name '*.pxi' -o -name '*flight*' \) -delete

# Each execution starts cold, as a user who may not write: what is not compiled now is compiled every time, which costs
# three times what the rest of the start does. Never checked against the sources: nobody edits them here.
"$python" -m compileall -q -j 0 --invalidation-mode unchecked-hash "$packages" "$app"
