"""A batch for a stranger: its record, certificate and events with their proofs, and the file that checks them all."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from seedtrain.base import InputError, IntegrityError, Position, UnavailableError, digest_bytes
from seedtrain.gmp._batch._record import BatchRecord, batch_record
from seedtrain.gmp._documents._issue import batch_pdf, certificate_json, certificate_pdf
from seedtrain.gmp._documents._readme import readme
from seedtrain.gmp._documents._subset import belonging
from seedtrain.gmp._lots._epcis import write_epcis
from seedtrain.record import Extract, Ledger, export, extract, sealed_extract, write_files
from seedtrain.report import DocumentSigner


@dataclass(frozen=True)
class BatchExport:
    """What was handed over: the folder, its files, how many events, and what is not in it and why."""

    folder: Path
    files: tuple[str, ...]
    events: int
    left_out: tuple[str, ...]


def export_batch(
    ledger: Ledger,
    batch: str,
    folder: Path,
    *,
    signer: DocumentSigner | None,
    segments: Path | None = None,
    more: Mapping[str, bytes] | None = None,
    whole: str | Path | None = None,
) -> BatchExport:
    """Write one batch into a new folder that `python verify.py FOLDER` checks; whole or not at all.

    The folder holds the events that belong to the batch, each with its RFC 6962 proof against a signed checkpoint, so
    that nothing of other batches leaves the house; the batch record and the certificate of analysis; telemetry;
    `README.md` and `README.zh.md`.

    - `signer`: signs the PDFs. `segments`: the folder of telemetry files; beside the ledger if not given.
    - `more`: further files by name. `whole`: the ledger's own URL: all of it is handed over too, in `ledger/`.

    Raises `InputError` for a taken folder and for an unknown batch, `IntegrityError` for a telemetry file that is not
    the recorded one.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError("this folder is taken", position=Position(str(folder)), remedy="Name a new folder.")
    record = batch_record(ledger.events(subject=batch), batch)
    files, left_out = _documents(ledger, record, signer)
    found = extract(ledger, belonging(ledger, batch))
    telemetry, missing = _telemetry(record, segments or ledger.path.parent / "segments")
    files |= _epcis(ledger, record, found) | telemetry | dict(more or {})
    files |= readme(record, found, files)
    files |= found.files

    def write(building: Path) -> None:
        if whole is not None:
            export(whole, building / "ledger")
        sealed = sealed_extract(ledger, found, batch, files, beside=building)
        write_files(building, files | {"extract.txt": sealed})

    _whole_or_not_at_all(folder, write)
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    return BatchExport(folder, tuple(names), len(found.events), (*left_out, *missing))


def _documents(
    ledger: Ledger, record: BatchRecord, signer: DocumentSigner | None
) -> tuple[dict[str, bytes], tuple[str, ...]]:
    files = {"batch-record.pdf": batch_pdf(ledger, record.batch, signer=signer)}
    try:
        data = certificate_json(ledger, record.batch)
    except InputError as error:  # a batch without an approved specification has a record all the same
        return files, (f"certificate of analysis: {error.message}",)
    files["certificate.pdf"] = certificate_pdf(ledger, record.batch, signer=signer)
    files["certificate.json"] = json.dumps(data, indent=2, ensure_ascii=False).encode("utf-8") + b"\n"
    return files, ()


def _epcis(ledger: Ledger, record: BatchRecord, found: Extract) -> dict[str, bytes]:
    """The lots of the batch as EPCIS 2.0, of the events that are handed over only; nothing where there is no lot."""
    if record.lot is None and not record.consumed:
        return {}
    known = {event.seq for event in found.events}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "epcis.json"
        write_epcis(ledger, path, lot=record.lot or record.consumed[0].lot)
        document = json.loads(path.read_text("utf-8"))
    body = document["epcisBody"]
    body["eventList"] = [item for item in body["eventList"] if item["seedtrain:seq"] in known]
    return {"epcis.json": json.dumps(document, indent=1, ensure_ascii=False).encode("utf-8") + b"\n"}


def _telemetry(record: BatchRecord, folder: Path) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """The telemetry files of the batch, each checked against the digest in the ledger."""
    files: dict[str, bytes] = {}
    missing = []
    for item in record.segments:
        found = sorted(folder.glob(f"{item.digest}.*")) if item.digest.isalnum() else []
        if not found:
            missing.append(f"telemetry {item.digest[:16]}... of {item.phase}: not in {folder.name}/")
            continue
        content = found[0].read_bytes()
        if digest_bytes(content) != item.digest:
            raise IntegrityError(
                f"this telemetry file is not the one that seq {item.seq} records",
                position=Position(str(found[0])),
                remedy="Restore it from the backup.",
            )
        files[f"telemetry/{found[0].name}"] = content
    return files, tuple(missing)


def _whole_or_not_at_all(folder: Path, write: Callable[[Path], None]) -> None:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
        try:
            write(building)
            building.chmod(0o755)
            os.replace(building, folder)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise
    except OSError as error:
        raise UnavailableError(
            f"the export cannot be written: {error.strerror}", position=Position(str(folder)), remedy="Free space."
        ) from error
