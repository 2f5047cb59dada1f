"""Running the checks, writing the signed report, and appending to the ledger that it was done."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from seedtrain.base import Progress, digest_bytes, silent, write_atomic
from seedtrain.base import translate as _
from seedtrain.gmp._documents._document_key import document_signer, passing_signer
from seedtrain.gmp._qualify._clauses import check_words
from seedtrain.gmp._qualify._page import print_qualification, qualification_data
from seedtrain.gmp._qualify._run import Qualification, run_checks
from seedtrain.record import SYSTEM, Draft, Event, append_signed, open_ledger
from seedtrain.report import Authority, DocumentSigner, render_pdf, sign_pdf

SUBJECT: Final = "installation"
EXECUTION: Final = "execution of the qualification"


@dataclass(frozen=True)
class QualificationReport:
    """What was written: the two files, and the event where a ledger was named."""

    qualification: Qualification
    data: dict[str, Any]
    pdf: Path
    json: Path
    event: Event | None

    def shows(self, check: str) -> str:
        """What a check shows, in the language in use."""
        return check_words(check)


def qualify(
    out: Path,
    *,
    record: str | None = None,
    signer: DocumentSigner | None = None,
    actor: str | None = None,
    authority: Authority | None = None,
    progress: Progress = silent,
) -> QualificationReport:
    """Run every check and write `qualification.pdf` (PDF/A-3a, signed) and `qualification.json` to the folder `out`.

    - `record`: the user's ledger, to which `installation.qualified` is appended with the digests of both files.
    - `signer`: signs the PDF; else the ledger's server; else a key that is kept nowhere.
    - `actor`: the person who ran it and signs the event in the ledger (within `signing_as`).
    - `authority`: has the PDF's signature time-stamped (RFC 3161).

    Raises `UnavailableError` where nothing can be written or the authority does not answer, `IntegrityError` where its
    answer is no time stamp of this signature; nothing is written then.
    """
    found = run_checks(out, record=record, progress=progress)
    data = qualification_data(found)
    printed = print_qualification(found, data)
    if signer is None and record is not None:
        with open_ledger(record, create=False, read_only=True) as ledger:
            signer = document_signer(ledger)
    reason = _("report of the qualification")
    used = signer or passing_signer("a key for this report alone", found.started)
    if authority is not None:
        used = replace(used, authority=authority)
    pdf = sign_pdf(render_pdf(printed.page, printed.attachments), used, reason=reason)
    text = json.dumps(data, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
    write_atomic(out / "qualification.pdf", pdf)
    write_atomic(out / "qualification.json", text)
    event = _recorded(record, found, text, pdf, actor) if record is not None else None
    return QualificationReport(found, data, out / "qualification.pdf", out / "qualification.json", event)


def _recorded(record: str, found: Qualification, text: str, pdf: bytes, actor: str | None) -> Event:
    payload = {
        "verdict": found.verdict,
        "version": found.facts.get("versions", {}).get("seedtrain", ""),
        "files": str(found.facts.get("files", {}).get("digest", "")),
        "checks": {item.id: item.verdict for item in found.results},
        "report": digest_bytes(text.encode("utf-8")),
        "pdf": digest_bytes(pdf),
    }
    with open_ledger(record, create=False) as ledger:
        if actor is None:
            return ledger.append(Draft("installation.qualified", SUBJECT, payload, SYSTEM))[0]
        return append_signed(ledger, Draft("installation.qualified", SUBJECT, payload, actor), EXECUTION)[0]
