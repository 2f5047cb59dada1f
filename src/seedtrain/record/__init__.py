"""What happened, and who says so: an append-only, signed ledger that a stranger can verify."""

from seedtrain.record._bench import bench_record
from seedtrain.record._event import Draft, Event, LaterDraft, moment, timestamp
from seedtrain.record._ledger import (
    SYSTEM,
    ConflictError,
    Head,
    Ledger,
    open_ledger,
)
from seedtrain.record._people import Person, append_signed, enrol_person, find_person, people, person_name, sign
from seedtrain.record._stores import anchor_path, key_path, ledger_path
from seedtrain.record._verify import export, verify

__all__ = [
    "SYSTEM",
    "ConflictError",
    "Draft",
    "Event",
    "Head",
    "LaterDraft",
    "Ledger",
    "Person",
    "anchor_path",
    "append_signed",
    "bench_record",
    "enrol_person",
    "export",
    "find_person",
    "key_path",
    "ledger_path",
    "moment",
    "open_ledger",
    "people",
    "person_name",
    "sign",
    "timestamp",
    "verify",
]
