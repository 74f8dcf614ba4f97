#!/bin/sh
# Makes .venv with fl0p built in it; installs the system packages that are missing (Debian, Ubuntu).
#
#   tools/setup.sh PYTHON VENV [EXTRA]      EXTRA: pip extras, e.g. dev
#
# Needs root or sudo only if something is missing; says what it would install otherwise.
set -eu
python=$1 venv=$2 extra=${3:-}

missing=""
command -v cc >/dev/null 2>&1 || missing="$missing build-essential"
printf '#include <pcap.h>\n' | cc -E - >/dev/null 2>&1 || missing="$missing libpcap-dev"
if ! command -v "$python" >/dev/null 2>&1; then
    missing="$missing python3 python3-dev python3-venv"
else
    "$python" -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
    "$python" -c 'import os, sysconfig, sys; sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))' \
        || missing="$missing python3-dev"
fi

if [ -n "$missing" ]; then
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "setup: please install (Debian's names):$missing" >&2
        exit 1
    fi
    sudo=""
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null 2>&1; then
            echo "setup: as root, please run: apt-get install$missing" >&2
            exit 1
        fi
        sudo=sudo
    fi
    echo "setup: installing$missing"
    $sudo apt-get update -qq
    # shellcheck disable=SC2086
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "setup: $("$python" --version) is too old, fl0p needs Python 3.11 or later (make PYTHON=python3.13 ...)" >&2
    exit 1
}
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
echo "setup: building fl0p in $venv"
pip="$venv/bin/python -m pip install -q --disable-pip-version-check"
"$venv/bin/python" -c '
import sys, tomllib
tree = tomllib.load(open("pyproject.toml", "rb"))
extra = tree["project"]["optional-dependencies"].get(sys.argv[1], [])
print(*tree["build-system"]["requires"], *tree["project"]["dependencies"], *extra, sep="\n")
' "$extra" >"$venv/requirements.txt"
$pip -r "$venv/requirements.txt"
"$venv/bin/python" tools/generate_c.py
config="$(cd "$venv" && pwd)/build.cfg"
printf '[build_ext]\nparallel = %s\n' "$(nproc)" >"$config"
DIST_EXTRA_CONFIG="$config" $pip --no-build-isolation --no-deps -e .
