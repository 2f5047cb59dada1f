"""The end of a printed batch record: who signed what, everything that happened in its order, and how to verify it."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence

from seedtrain.base import translate as _
from seedtrain.gmp._documents._case import Case, none_or, plain_time, table
from seedtrain.gmp._documents._places import places
from seedtrain.gmp._phrases import recorded_words
from seedtrain.record import Event, find_person, moment
from seedtrain.report import Attachment, Block, Definitions, Heading, Paragraph

LONGEST_WORDS = 400
_OF_MACHINES = frozenset(("checkpoint", "public_key", "signature", "nonce", "text", "sealed_name"))
"""Parts of a payload that say nothing to a reader; they are in the attached events."""


def signatures_section(case: Case) -> Iterator[Block]:
    """Printed name, date and time, and meaning of each signature (21 CFR 11.50), and what it was set to."""
    yield Heading(_("Signatures"))
    yield Paragraph(
        _(
            "Each signature was made with the signer's own key over the digest of the record that it stands beside; "
            "it cannot be moved to another one. Times are those of the process, in UTC."
        )
    )
    types = {event.digest: f"{event.seq} {event.type}" for event in case.events}
    rows = []
    for item in case.record.signatures:
        person = find_person(case.ledger, item.actor)
        roles = ", ".join(role.replace("_", " ") for role in person.roles) if person else ""
        over = types.get(item.record_digest, "")
        rows.append(
            (
                *(case.name(item.actor), f"{item.actor}; {roles}", item.occurred_at),
                *(recorded_words(item.meaning), over, item.record_digest),
            )
        )
    heads = (_("Signed by"), _("Identity and roles"), _("Time"), _("Meaning"), _("Event"), _("Digest of the record"))
    yield none_or(rows, lambda: table(heads, rows, widths=(14, 16, 12, 20, 14, 24)))


def trail_section(case: Case) -> Iterator[Block]:
    """Every event of the batch in the order in which the ledger took it; readings that kept limits are counted."""
    yield Heading(_("Audit trail"))
    shown = [event for event in case.events if case.full or not _is_quiet(event)]
    left = len(case.events) - len(shown)
    words = _(
        "All {count} events of the batch in the order of the ledger; {left} device readings within their limits are "
        "not repeated here. A time that differs from the recording by more than a minute is given twice."
    )
    yield Paragraph(words.format(count=len(case.events), left=left))
    rows = [
        (str(event.seq), _times(event), event.type, case.name(event.actor), _content(event), event.reason or "")
        for event in shown
    ]
    heads = (_("Event"), _("Time"), _("Type"), _("Actor"), _("What was recorded"), _("Reason"))
    yield none_or(rows, lambda: table(heads, rows, widths=(6, 13, 15, 13, 46, 14)))


def _is_quiet(event: Event) -> bool:
    payload = event.payload
    return event.type == "step.value_recorded" and payload.get("kind") == "reading" and payload.get("within") is True


def _times(event: Event) -> str:
    occurred, recorded = plain_time(event.occurred_at), plain_time(event.recorded_at)
    apart = abs((moment(event.recorded_at) - event.occurred).total_seconds())
    return (
        occurred if apart <= 60 else _("{occurred}, recorded {recorded}").format(occurred=occurred, recorded=recorded)
    )


def _content(event: Event) -> str:
    """The payload in one line; what is long stands in the attached events."""
    parts = event.payload.items()
    told = [(name, value) for name, value in parts if name not in _OF_MACHINES and value not in (None, "", [])]
    words = "; ".join(f"{name}: {_plain(value)}" for name, value in told)
    return words if len(words) <= LONGEST_WORDS else words[:LONGEST_WORDS] + " \u2026"


def _plain(value: object) -> str:
    if isinstance(value, str):
        return value if len(value) <= 120 else value[:64] + " \u2026"
    if isinstance(value, (Mapping, Sequence)):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return str(value)


def places_section(numbers: Mapping[str, str]) -> Iterator[Block]:
    """Where each item of 21 CFR 211.188 stands; `numbers`: key of a section to its number and title."""
    yield Heading(_("Where each item stands"))
    yield Paragraph(_("What 21 CFR 211.188 asks of a batch record (abridged), and where it is here."))
    rows = [(item.clause, item.words, numbers[item.section], item.note) for item in places()]
    yield table((_("Clause"), _("Item"), _("Section"), _("Note")), rows, widths=(13, 34, 18, 24))


def verification_section(case: Case, attachments: Sequence[Attachment], digests: Sequence[str]) -> Iterator[Block]:
    """What a stranger needs to check this print against the ledger."""
    yield Heading(_("How to verify this record"))
    first, last = case.events[0], case.events[-1]
    _origin, size, root = case.ledger.note_over(last.seq).split("\n")[:3]
    key = case.ledger.keys.server_public
    yield Definitions(
        (
            (_("Ledger"), case.ledger.id),
            (_("Public key of the ledger"), key.hex() if key else "\u2013"),
            (
                _("Events of the batch"),
                _("{count}, from {first} to {last}").format(count=len(case.events), first=first.seq, last=last.seq),
            ),
            (_("Digest of its last event"), last.digest),
            (_("Checkpoint"), _("{size} events, Merkle root {root}").format(size=size, root=b64decode(root).hex())),
        )
    )
    yield Paragraph(
        _(
            "Ask for the export of this batch (seedtrain batch export) and run the one file in it, which needs Python "
            "and the package cryptography only: {command}. It checks every event, signature and file against the "
            "checkpoint, and the checkpoint against the public key above."
        ).format(command="python verify.py FOLDER --key " + (key.hex() if key else "HEX"))
    )
    rows = [(item.name, item.description, digest) for item, digest in zip(attachments, digests, strict=True)]
    heads = (_("Attached file"), _("Description"), _("SHA-256"))
    yield none_or(rows, lambda: table(heads, rows, widths=(14, 34, 30)))
