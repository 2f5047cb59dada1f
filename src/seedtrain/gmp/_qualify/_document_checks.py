"""What leaves the house: the printed record, its signature, the handed-over batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from seedtrain.gmp._documents._authentic import verify_document
from seedtrain.gmp._documents._batch_page import print_batch
from seedtrain.gmp._documents._case import Case
from seedtrain.gmp._documents._document_key import document_signer
from seedtrain.gmp._documents._export import export_batch
from seedtrain.gmp._documents._issue import batch_pdf
from seedtrain.gmp._documents._places import places
from seedtrain.gmp._qualify._bench import Bench, expect
from seedtrain.gmp._qualify._ledger_checks import alone
from seedtrain.gmp._qualify._sample import BATCH
from seedtrain.record import Draft
from seedtrain.report import render_html


def printed(bench: Bench) -> list[str]:
    """OQ-19."""
    case = Case.of(bench.sample.ledger, BATCH)
    made = print_batch(case)
    text = render_html(made.page)
    wanted = [item.clause for item in places()]
    missing = [clause for clause in wanted if clause not in text]
    expect(not missing, f"the print does not say where {', '.join(missing)} stand")
    for item in case.record.signatures:
        expect(item.meaning in text, f"the meaning {item.meaning!r} of a signature is not printed")
        expect(case.name(item.actor) in text, f"the name of {item.actor} is not printed")
        expect(item.occurred_at[:19].replace("T", " ") in text, "the time of a signature is not printed")
    fixes = [(line, fix) for line in case.record.values for fix in line.corrections]
    expect(fixes, "the sample has no correction to be marked")
    for line, fix in fixes:
        expect(fix.reason in text and line.value in text, f"the change of {line.tag} is not marked with its old value")
    attached = {item.name: item.text for item in made.attachments}
    expect(attached["events.jsonl"].count("\n") == len(case.events), "the attached events are not all events")
    return [
        f"{len(wanted)} items of 211.188, {len(case.record.signatures)} signatures and {len(fixes)} changes in print",
        f"{len(case.events)} events attached byte by byte",
    ]


def signed_pdf(bench: Bench) -> list[str]:
    """OQ-20."""
    ledger = bench.sample.ledger
    plain = batch_pdf(ledger, BATCH)
    expect(plain == batch_pdf(ledger, BATCH), "two prints of one record differ")
    expect(b"<pdfaid:part>3</pdfaid:part>" in plain, "the PDF does not state that it is PDF/A-3")
    pdf = batch_pdf(ledger, BATCH, signer=document_signer(ledger))
    key = ledger.keys.server_public
    verdict = verify_document(pdf, key)
    expect(verdict.verdict == "pass", f"the signed print does not verify: {'; '.join(verdict.evidence)}")
    at = len(plain) // 2
    changed = pdf[:at] + bytes([pdf[at] ^ 1]) + pdf[at + 1 :]
    expect(verify_document(changed, key).verdict == "fail", "a changed byte is not found")
    expect(verify_document(pdf, bytes(32)).verdict == "fail", "another ledger's key passes")
    return [
        *verdict.evidence,
        "one bit changed: fail; another server's key: fail; two prints before signing: equal bytes",
    ]


def handed_over(bench: Bench) -> list[str]:
    """OQ-22."""
    ledger = bench.sample.ledger
    ledger.append(Draft("check.noted", "another-batch", {"secret": "of another customer"}, "system"))
    folder = bench.place() / "handover"
    made = export_batch(ledger, BATCH, folder, signer=None)
    found = alone(folder)
    expect(found["verdict"] == "pass", f"the folder does not verify: {found}")
    events = (folder / "events.jsonl").read_bytes()
    expect(b"another customer" not in events, "an event of another batch is in it")
    lines = events.split(b"\n")
    proofs = (folder / "proofs.jsonl").read_bytes().split(b"\n")
    (folder / "events.jsonl").write_bytes(b"\n".join(lines[:-3] + lines[-2:]))
    (folder / "proofs.jsonl").write_bytes(b"\n".join(proofs[:-3] + proofs[-2:]))
    without = alone(folder)
    expect(without["verdict"] == "fail", "a folder without one of the batch's events verifies")
    (folder / "events.jsonl").write_bytes(events)
    (folder / "proofs.jsonl").write_bytes(b"\n".join(proofs))
    (folder / "batch-record.pdf").write_bytes(b"%PDF-1.7 another")
    expect(alone(folder)["verdict"] == "fail", "a folder with another batch record verifies")
    return [
        f"{made.events} of {ledger.head.seq} events with proofs: pass",
        "one event left out: fail; another PDF: fail",
    ]


CHECKS: Final[dict[str, Callable[[Bench], list[str]]]] = {"OQ-19": printed, "OQ-20": signed_pdf, "OQ-22": handed_over}
