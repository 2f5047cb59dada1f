#!/usr/bin/env bash
# unitelabs-cdk (MIT) in an environment of its own beside this file: it brings tools that nothing else here needs.
set -euo pipefail
cd "$(dirname "$0")"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check unitelabs-cdk==0.17.1
