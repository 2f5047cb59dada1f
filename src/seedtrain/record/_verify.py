"""Verifying a ledger, and handing it over so that a stranger can verify it without Seedtrain."""

from __future__ import annotations

import base64
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from importlib import metadata, resources
from pathlib import Path
from typing import Final

from seedtrain.base import InputError, IntegrityError, Position, UnavailableError
from seedtrain.quality import Criterion, Verdict, VerdictWord
from seedtrain.record._event import decode
from seedtrain.record._keys import KeyFolder
from seedtrain.record._stores import Store, anchor_path, key_path, ledger_path, open_store
from seedtrain.record._verifier import CRITERIA, Report, check, key_id, read_folder

_LIMITS: Final = {
    "chain": "every event canonical, numbered without a gap and linked to the one before",
    "roots": "every signed Merkle root is that of the events before it",
    "signatures": "every signature of the server and of persons holds",
    "anchors": "every checkpoint anchored outside the database is in it",
    "key": "the server's key is the one known outside the ledger",
    "stamps": "every time stamp of an authority holds, and somebody who is trusted vouches for the authority",
    "complete": "no event of the subject is left out",
    "files": "every file in the folder is one that was exported, as it was",
    "storage": "the database is whole and its guards are in place",
}


def verify(
    path: str | Path, anchors: Path | None = None, *, server_key: str | None = None, authorities: Path | None = None
) -> Verdict:
    """Verify a ledger file or a folder that was handed over; the evidence names the first event that cannot be trusted.

    - `anchors`: the anchor file, for instance a copy on write-once storage; the one beside the ledger if not given.
    - `server_key`: the server's public key, 64 hexadecimal digits; the one in the folder of keys if not given.
    - `authorities`: certificates (PEM) that vouch for time stamp authorities; those given when the ledger was stamped
      (`tsa.pem` in the folder of keys, or in the export) if not given.

    Without anchors or a key from outside the ledger the verdict is inconclusive, never a pass. Raises `InputError`
    where there is no ledger at all.
    """
    place = ledger_path(path)
    key = _key(server_key)
    if place.is_dir():
        try:
            return _verdict(
                read_folder(place, key, None if authorities is None else trusted_certificates(authorities)), str(place)
            )
        except (OSError, ValueError, KeyError) as error:
            raise InputError(
                f"this folder is not an export of a ledger: {error}",
                position=Position(str(place)),
                remedy="Give a ledger file, or a folder that `seedtrain record export` or `batch export` wrote.",
            ) from error
    return _verdict(inspect(path, anchors, key, authorities), str(place))


def inspect(
    url: str | Path, anchors: Path | None = None, server_key: bytes | None = None, authorities: Path | None = None
) -> Report:
    """What `verify` finds in a ledger file, fault by fault."""
    path = ledger_path(url)
    lines = anchor_lines(anchors or anchor_path(path))  # before the ledger: another process may be writing
    keys = KeyFolder(key_path(path))
    key = server_key or keys.server_public
    trusted = keys.authorities if authorities is None else trusted_certificates(authorities)
    try:
        with (
            closing(open_store(url, read_only=True)) as store,
            store.reading(),
            ThreadPoolExecutor(1) as beside,  # SQLite works while Python does
        ):
            faults = beside.submit(_storage_faults, url)
            report = check(store.leaves, store.notes, lines, key, trusted)
            for words in faults.result():
                report.add("storage", None, words)
    except IntegrityError as error:
        report = Report()
        report.unknown = dict.fromkeys(CRITERIA, "the database is damaged")
        report.add("storage", None, error.message)
    report.counts.setdefault("storage", 0)
    return report


def _storage_faults(url: str | Path) -> tuple[str, ...]:
    with closing(open_store(url, read_only=True)) as store, store.reading():
        return store.faults()


def anchor_lines(path: Path) -> list[str] | None:
    """The lines of an anchor file; None if there is no such file."""
    try:
        return path.read_text("utf-8", errors="replace").split("\n")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnavailableError(f"the anchors cannot be read: {error.strerror}", position=Position(str(path))) from error


def export(path: str | Path, folder: Path) -> Path:
    """Write a ledger into a new folder that anybody can verify with `python verify.py FOLDER`; whole or not at all.

    The folder holds the exact bytes of the events, the signed checkpoints, the anchors, the public keys and the
    one-file verifier. Raises `InputError` where the folder is taken.
    """
    place = ledger_path(path)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError("this folder is taken", position=Position(str(folder)), remedy="Name a new folder.")
    anchors = anchor_lines(anchor_path(place))
    store = open_store(path, read_only=True)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
        try:
            with store.reading():
                _write_export(store, building, anchors, KeyFolder(key_path(place)))
            building.chmod(0o755)
            os.replace(building, folder)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise
    except OSError as error:
        raise UnavailableError(
            f"the export cannot be written: {error.strerror}", position=Position(str(folder)), remedy="Free space."
        ) from error
    finally:
        store.close()
    return folder


def _write_export(store: Store, folder: Path, anchors: list[str] | None, public: KeyFolder) -> None:
    server_key = public.server_public
    people: dict[str, str] = {}
    origin = ""
    with (folder / "events.jsonl").open("wb") as events, (folder / "leaves.txt").open("w", encoding="ascii") as leaves:
        for body, leaf in store.leaves():
            event = decode(body)
            if event.type == "ledger.created":
                origin = str(event.payload["ledger"])
                server_key = server_key or bytes.fromhex(event.payload["public_key"])
            elif event.type == "person.enrolled":
                people[event.subject] = str(event.payload["public_key"])
            events.write(body + b"\n")
            leaves.write(leaf.hex() + "\n")
    _write_lines(folder / "checkpoints.jsonl", (_line(note) for note in store.notes()))
    if anchors is not None:
        _write_lines(folder / "anchors.jsonl", anchors)
    assert server_key is not None
    note_key = base64.b64encode(b"\x01" + server_key).decode("ascii")
    keys = {
        "ledger": origin,
        "server_public_key": server_key.hex(),
        "note_verifier_key": f"{origin}+{key_id(origin, server_key).hex()}+{note_key}",
        "people": people,
    }
    (folder / "keys.json").write_text(json.dumps(keys, indent=2) + "\n", encoding="utf-8")
    source = resources.files("seedtrain.record").joinpath("_verifier.py").read_bytes()
    (folder / "verify.py").write_bytes(source)
    if public.authorities:
        (folder / "tsa.pem").write_bytes(public.authorities)


def _line(note: str) -> str:
    return json.dumps({"checkpoint": note}, ensure_ascii=False, separators=(",", ":"))


def _write_lines(path: Path, lines: Iterator[str] | list[str]) -> None:
    path.write_text("\n".join(line for line in lines if line) + "\n", encoding="utf-8")


def _key(text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise InputError(f"{text!r} is not a public key", remedy="Give 64 hexadecimal digits.")
    return key


def trusted_certificates(path: Path) -> bytes:
    """The content of a file of certificates in PEM; `InputError` for anything else."""
    from cryptography.x509 import load_pem_x509_certificates

    try:
        content = path.read_bytes()
        load_pem_x509_certificates(content)
    except OSError as error:
        raise InputError(f"this file cannot be read: {error.strerror}", position=Position(str(path))) from error
    except ValueError as error:
        remedy = "Give the certificate of the time stamp authority, or of who certifies it."
        raise InputError(
            "this file holds no certificate in PEM", position=Position(str(path)), remedy=remedy
        ) from error
    return content


def _verdict(report: Report, place: str) -> Verdict:
    names = [name for name in _LIMITS if name in report.criteria]
    criteria = [_criterion(report, name) for name in names]
    seq = report.first_bad_seq
    evidence = [] if seq is None else [f"first bad event: seq {seq}"]
    evidence += [f"{fault.criterion}: {fault.words}" for fault in report.findings]
    evidence += [f"{name}: {words}" for name, words in report.unknown.items()]
    evidence += report.stamps
    evidence.append(
        f"{place}: {report.events} events, {report.checkpoints} checkpoints, {report.anchors} anchors, "
        f"{report.signatures} signatures of persons, head {report.head}"
    )
    versions = {"seedtrain": metadata.version("seedtrain"), "cryptography": metadata.version("cryptography")}
    return Verdict.of(criteria, evidence, versions)


def _criterion(report: Report, name: str) -> Criterion:
    word = report.verdict_of(name)
    faults = [fault for fault in report.findings if fault.criterion == name]
    if faults:
        where = min((fault.seq for fault in faults if fault.seq is not None), default=None)
        value = f"{report.counts[name]} faults" + (f", the first at seq {where}" if where is not None else "")
    else:
        value = report.unknown.get(name, "no fault")
    verdict: VerdictWord = "pass" if word == "pass" else "fail" if word == "fail" else "inconclusive"
    return Criterion(name, value, None, _LIMITS[name], None, verdict)
