"""Two judges of an EPCIS document: GS1's JSON schema, and the event hashes of epcis-event-hash-generator."""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path
from typing import Any

from tests.judges import missing

SCHEMA = Path(__file__).parent / "judge_epcis" / "schema.json"
INSTALL = "tests/gmp/judge_epcis/install.sh"


def faults(document: Any) -> list[str]:
    """Where the document breaks the schema; formats (URIs, times) are checked too."""
    import jsonschema  # type: ignore[import-untyped]

    path = Path(os.environ.get("SEEDTRAIN_EPCIS_SCHEMA", SCHEMA))
    if not path.is_file():
        missing(f"the EPCIS 2.0 JSON schema is not here: {INSTALL}")
    schema = json.loads(path.read_bytes())
    formats = jsonschema.FormatChecker()
    assert {"uri", "date-time"} <= formats.checkers.keys(), "pip install rfc3339-validator rfc3986-validator"
    validator = jsonschema.Draft7Validator(schema, format_checker=formats)
    return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(document)]


def hashes(document: Any) -> list[str]:
    """The hash of each event by the algorithm of CBV 2.0."""
    from epcis_event_hash_generator import hash_generator, json_to_py  # type: ignore[import-untyped]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # its own, of how it opens a file
        events = json_to_py.event_list_from_epcis_document_json(json.loads(json.dumps(document)))
        return list(hash_generator.epcis_hashes_from_events(events))
