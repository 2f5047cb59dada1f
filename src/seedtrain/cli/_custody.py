"""`seedtrain custody`: the chain of identity and custody of what is made for one patient."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from seedtrain.base import InputError
from seedtrain.base import translate as _
from seedtrain.cli._acted import acted, exit_code, shown
from seedtrain.cli._arguments import ChainCode
from seedtrain.cli._bank_words import verdict_lines
from seedtrain.cli._common import Common
from seedtrain.cli._signing import RecordUrl, Secrets, Signer

if TYPE_CHECKING:
    from seedtrain.gmp import Chain, Observed
    from seedtrain.record import Ledger

app = App(name="custody", help="Chain of identity and custody: from the patient and back to the same patient.")
StageWord = Literal["transport", "receipt", "manufacture", "return", "infusion"]


@Parameter(name="*")
@dataclass(frozen=True)
class Seen:
    """What is scanned and seen at a hand-over."""

    scan_code: Annotated[str, Parameter(help="The chain's code as scanned from the container.")]
    scan_token: Annotated[str, Parameter(help="The patient's token as scanned from the container or the wristband.")]
    place: Annotated[str, Parameter(help="Where.")]
    temperature: Annotated[str, Parameter(help="Such as '4.1 degC'.")]
    condition: Literal["intact", "damaged", "leaking", "seal broken", "thawed"] = "intact"

    def observed(self) -> Observed:
        """The same, as the room takes it."""
        from seedtrain.gmp import Observed

        return Observed(self.scan_code, self.scan_token, self.place, self.temperature, self.condition)


@app.command(name="open")
def open_chain(
    *,
    product: Annotated[str, Parameter(help="What will be made.")],
    place: Annotated[str, Parameter(help="Where it is collected.")],
    limit: Annotated[list[str] | None, Parameter(negative="", help="STAGE=RANGE of temperature, or all=RANGE.")] = None,
    within: Annotated[str, Parameter(help="From collection to manufacture at most, such as '72 h'.")] = "",
    evaluated: Annotated[bool, Parameter(negative="", help="All donor screening and testing was done.")] = False,
    lot: Annotated[list[str] | None, Parameter(negative="", help="A lot that holds what was collected.")] = None,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Open a chain at the collection; prints the two identifiers for the labels. Asks for the patient, and seals it.

    Example: seedtrain custody open --product CAR-T-1 --place "Ward 3" --limit "all=2 .. 8 degC" --as person-1
    """
    from seedtrain.gmp import open_custody

    given = Secrets(signer.password_fd)

    def act(ledger: Ledger, actor: str) -> Chain:
        return open_custody(
            *(ledger, actor),
            patient=given.ask(_("Patient (name, date of birth, record number):")),
            product=product,
            place=place,
            limits=_pairs(limit or []),
            within_h=within,
            evaluated=evaluated,
            lots=tuple(lot or ()),
        )

    return _done(signer, record, common, act, given)


@app.command
def bind(
    code: ChainCode,
    *,
    lot: Annotated[str | None, Parameter(help="A lot of this patient.")] = None,
    batch: Annotated[str | None, Parameter(help="The batch that is made for this patient.")] = None,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Say that a lot or a batch is this patient's: no other patient's material goes into it, and it into no other.

    Example: seedtrain custody bind COI-7K3M9QXD4T --batch B-7 --as person-1
    """
    from seedtrain.gmp import bind_to_patient, custody_chain

    if (lot is None) == (batch is None):
        raise InputError("it is not said what to bind", remedy="Give --lot or --batch.")
    kind, name = ("lot", lot) if lot is not None else ("batch", batch)

    def act(ledger: Ledger, actor: str) -> Chain:
        bind_to_patient(ledger, code, kind, str(name), actor)
        return custody_chain(ledger, code)

    return _done(signer, record, common, act)


@app.command(name="hand-over")
def hand(
    code: ChainCode,
    *,
    to: Annotated[str, Parameter(help="Who takes it, such as person-2.")],
    stage: StageWord,
    seen: Seen,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Hand over to another person; both identifiers are scanned, and a mismatch is a hard stop.

    Example: seedtrain custody hand-over COI-7K3M9QXD4T --to person-2 --stage transport --scan-code COI-7K3M9QXD4T
    --scan-token PT-9X2C4V6B8N --place "Ward 3" --temperature "4.1 degC" --as person-1
    """
    from seedtrain.gmp import hand_over

    return _done(
        *(signer, record, common),
        lambda ledger, actor: hand_over(ledger, code, actor, seen.observed(), to=to, stage=stage),
    )


@app.command
def receive(
    code: ChainCode, *, seen: Seen, signer: Signer, record: RecordUrl = None, common: Common | None = None
) -> int:
    """Take what was handed over to you, after scanning both identifiers again.

    Example: seedtrain custody receive COI-7K3M9QXD4T --scan-code COI-7K3M9QXD4T --scan-token PT-9X2C4V6B8N
    --place "Van 2" --temperature "4.3 degC" --as person-2
    """
    from seedtrain.gmp import receive_custody

    return _done(
        *(signer, record, common),
        lambda ledger, actor: receive_custody(ledger, code, actor, seen.observed()),
    )


@app.command
def label(
    code: ChainCode,
    *,
    out: Annotated[Path, Parameter(help="The PDF to write.")],
    sheet: Annotated[str, Parameter(help="As `lot label` takes it: a4-2x7, roll-70x40 ...")] = "a4-2x7",
    copies: Annotated[int, Parameter(help="Pairs of labels, one with each identifier.")] = 1,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Print the labels of a chain: code and token apart, each as GS1 DataMatrix, with the warnings of 21 CFR 1271.90.

    Example: seedtrain custody label COI-7K3M9QXD4T --out labels.pdf --record record.db
    """
    from seedtrain.base import write_atomic
    from seedtrain.gmp import custody_chain, print_custody_labels

    def read(ledger: Ledger) -> dict[str, Any]:
        write_atomic(out, print_custody_labels(custody_chain(ledger, code), sheet, copies=copies))
        return {"file": str(out), "labels": 2 * copies, "sheet": sheet}

    return shown(
        record, common, read, lambda said: [_("{file}: {count} labels").format(file=out, count=said["labels"])]
    )


@app.command
def resume(
    code: ChainCode,
    *,
    reason: Annotated[str, Parameter(help="Why it may go on.")],
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Let a stopped chain go on, once its deviation is closed; quality does it, and not who was part of the stop.

    Example: seedtrain custody resume COI-7K3M9QXD4T --reason "wristband printed anew, identity confirmed" --as person-5
    """
    from seedtrain.gmp import resume_custody

    return _done(
        *(signer, record, common),
        lambda ledger, actor: resume_custody(ledger, code, actor, reason),
    )


@app.command
def reveal(
    code: ChainCode,
    *,
    reason: Annotated[str, Parameter(help="Why the patient must be known.")],
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Print who the patient is; that somebody looked, and why, stays in the ledger.

    Example: seedtrain custody reveal COI-7K3M9QXD4T --reason "the ward asks for the name" --as person-5
    """
    from seedtrain.gmp import reveal_patient

    return acted(
        *(signer, record, common),
        lambda ledger, actor: reveal_patient(ledger, code, actor, reason),
        lambda patient: [patient or _("The patient's data was erased.")],
        data=lambda patient: {"code": code, "patient": patient},
    )


@app.command
def check(code: ChainCode, *, record: RecordUrl = None, common: Common | None = None) -> int:
    """Judge a chain: both sides of every hand-over, limits, time, stops, and whether it came to its end.

    Example: seedtrain custody check COI-7K3M9QXD4T --record record.db
    """
    from seedtrain.gmp import custody_chain, judge_custody
    from seedtrain.quality import Verdict

    return shown(
        *(record, common, lambda ledger: judge_custody(custody_chain(ledger, code))),
        lambda verdict: verdict_lines(code, verdict),
        data=Verdict.to_data,
        code=exit_code,
    )


@app.command
def show(code: ChainCode, *, record: RecordUrl = None, common: Common | None = None) -> int:
    """A chain with every hand-over, and what its label must say.

    Example: seedtrain custody show COI-7K3M9QXD4T --record record.db
    """
    from seedtrain.gmp import custody_chain

    return shown(record, common, lambda ledger: custody_chain(ledger, code), _lines, data=_data)


@app.command(name="list")
def list_chains(*, record: RecordUrl = None, common: Common | None = None) -> int:
    """Every chain: its stage, who has it, and whether it is stopped.

    Example: seedtrain custody list --record record.db
    """
    from seedtrain.gmp import custody_chains

    def tell(found: tuple[Chain, ...]) -> Iterator[str]:
        for item in found:
            state = _("stopped") if item.stopped else stage_words(item.stage)
            yield f"{item.code:<16} {item.token:<14} {item.product:<16} {item.custodian:<12} {state}"

    return shown(record, common, custody_chains, tell, data=lambda found: [_data(item) for item in found])


def stage_words(stage: str) -> str:
    """A stage in the language in use."""
    return {
        "collection": _("collection"),
        "transport": _("transport"),
        "receipt": _("receipt"),
        "manufacture": _("manufacture"),
        "return": _("return"),
        "infusion": _("infusion"),
    }[stage]


def condition_words(condition: str) -> str:
    """How the goods looked, in the language in use."""
    return {
        "intact": _("intact"),
        "damaged": _("damaged"),
        "leaking": _("leaking"),
        "seal broken": _("seal broken"),
        "thawed": _("thawed"),
    }.get(condition, condition)


def _done(
    signer: Signer,
    record: str | None,
    common: Common | None,
    act: Callable[[Ledger, str], Chain],
    secrets: Secrets | None = None,
) -> int:
    return acted(signer, record, common, act, _lines, data=_data, secrets=secrets)


def _lines(found: Chain) -> Iterator[str]:
    from seedtrain.gmp import recorded_words

    yield f"{found.code}  {found.token}  {found.product}"
    yield from found.label
    yield f"{_('Stage')}: {stage_words(found.stage)}"
    yield f"{_('Custodian')}: {found.custodian}"
    if found.lots:
        yield f"{_('Lots')}: {', '.join(found.lots)}"
    if found.batches:
        yield f"{_('Batches')}: {', '.join(found.batches)}"
    if found.stopped:
        yield f"{_('On hold')}: {recorded_words(found.stopped.reason)} ({found.stopped.deviation})"
    for item in found.hand_overs:
        taken = item.received.time if item.received else _("not received yet")
        seen = f"{item.given.temperature}, {condition_words(item.given.condition)}"
        yield f"  {stage_words(item.stage):<12} {item.given.actor} > {item.to}  {item.given.time}  {taken}  {seen}"


def _data(found: Chain) -> dict[str, Any]:
    return {
        "code": found.code,
        "token": found.token,
        "product": found.product,
        "label": list(found.label),
        "stage": found.stage,
        "custodian": found.custodian,
        "pending": found.pending.to if found.pending else None,
        "lots": list(found.lots),
        "batches": list(found.batches),
        "stopped": None
        if found.stopped is None
        else {"reason": found.stopped.reason, "deviation": found.stopped.deviation},
        "illegal": [{"seq": seq, "words": words} for seq, words in found.illegal],
        "hand_overs": [
            {
                "stage": item.stage,
                "from": item.given.actor,
                "to": item.to,
                "given_at": item.given.time,
                "received_at": item.received.time if item.received else None,
                "temperature": item.given.temperature,
                "condition": item.given.condition,
                "faults": [*item.given.faults, *(item.received.faults if item.received else ())],
            }
            for item in found.hand_overs
        ],
    }


def _pairs(texts: list[str]) -> dict[str, str]:
    found = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign:
            raise InputError(f"{text!r} is no limit", remedy="Write STAGE=RANGE, such as 'transport=2 .. 8 degC'.")
        found[name.strip()] = value.strip()
    return found
