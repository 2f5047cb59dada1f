"""What happened, and who says so: an append-only, signed ledger that a stranger can verify."""

from seedtrain.record._access import (
    Access,
    RefusedError,
    access,
    change_password,
    different_people,
    is_trained,
    same_name,
    signing_as,
    unlock,
)
from seedtrain.record._administration import Alert, alerts, retire, set_roles, train, unlock_access
from seedtrain.record._backup import backup
from seedtrain.record._bench import bench_record
from seedtrain.record._credentials import Unlocked
from seedtrain.record._event import Draft, Event, LaterDraft, moment, timestamp
from seedtrain.record._extract import Extract, ProofTree, extract, sealed_extract, write_files
from seedtrain.record._ledger import (
    SYSTEM,
    ConflictError,
    Head,
    Ledger,
    open_ledger,
)
from seedtrain.record._people import Person, append_signed, enrol_person, find_person, people, person_name, sign
from seedtrain.record._personal import ErasedPart, destroy, erased, open_text, seal, sealed_text, unseal
from seedtrain.record._projection import Projection, Rebuilt, projected, rebuild, register, registered
from seedtrain.record._stamp import Stamp, stamp
from seedtrain.record._stores import anchor_path, key_path, ledger_path, view_path
from seedtrain.record._verify import export, verify

__all__ = [
    "SYSTEM",
    "Access",
    "Alert",
    "ConflictError",
    "Draft",
    "ErasedPart",
    "Event",
    "Extract",
    "Head",
    "LaterDraft",
    "Ledger",
    "Person",
    "Projection",
    "ProofTree",
    "Rebuilt",
    "RefusedError",
    "Stamp",
    "Unlocked",
    "access",
    "alerts",
    "anchor_path",
    "append_signed",
    "backup",
    "bench_record",
    "change_password",
    "destroy",
    "different_people",
    "enrol_person",
    "erased",
    "export",
    "extract",
    "find_person",
    "is_trained",
    "key_path",
    "ledger_path",
    "moment",
    "open_ledger",
    "open_text",
    "people",
    "person_name",
    "projected",
    "rebuild",
    "register",
    "registered",
    "retire",
    "same_name",
    "seal",
    "sealed_extract",
    "sealed_text",
    "set_roles",
    "sign",
    "signing_as",
    "stamp",
    "timestamp",
    "train",
    "unlock",
    "unlock_access",
    "unseal",
    "verify",
    "view_path",
    "write_files",
]
