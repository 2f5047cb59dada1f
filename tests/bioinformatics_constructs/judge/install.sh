#!/usr/bin/env bash
# The SBOL 3 validator of the package sbol3 (MIT), in an environment of its own: it asks for an older python-dateutil
# than this project has.
set -euo pipefail
cd "$(dirname "$0")"
python3 -m venv environment
environment/bin/pip install --quiet "sbol3==1.2.0.post0"
