"""`seedtrain custody`: the chain of identity and custody of what is made for one patient."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from seedtrain.base import EXIT_DONE, InputError
from seedtrain.base import translate as _
from seedtrain.cli._common import Common, print_json
from seedtrain.cli._signing import RecordUrl, Secrets, Signer, open_record, signing

if TYPE_CHECKING:
    from seedtrain.gmp import Chain, Observed

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
    from seedtrain.base import use_language
    from seedtrain.gmp import open_custody

    options = common or Common()
    given = Secrets(signer.password_fd)
    with open_record(record) as ledger, use_language(options.lang), signing(ledger, signer, given) as actor:
        patient = given.ask(_("Patient (name, date of birth, record number):"))
        found = open_custody(
            ledger,
            actor,
            patient=patient,
            product=product,
            place=place,
            limits=_pairs(limit or []),
            within_h=within,
            evaluated=evaluated,
            lots=tuple(lot or ()),
        )
        return _show(options, found)


@app.command
def bind(
    code: str,
    *,
    lot: Annotated[str | None, Parameter(help="A lot of this patient.")] = None,
    batch: Annotated[str | None, Parameter(help="The batch that is made for this patient.")] = None,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Say that a lot or a batch is this patient's: no other patient's material goes into it, and it into no other.

    Example: seedtrain custody bind COI-7K3M9QXD4T --batch B-7 --as person-1

    Parameters
    ----------
    code
        The chain's code.
    """
    from seedtrain.base import use_language
    from seedtrain.gmp import bind_to_patient, custody_chain

    if (lot is None) == (batch is None):
        raise InputError("it is not said what to bind", remedy="Give --lot or --batch.")
    options = common or Common()
    with open_record(record) as ledger, use_language(options.lang), signing(ledger, signer) as actor:
        kind, name = ("lot", lot) if lot is not None else ("batch", batch)
        bind_to_patient(ledger, code, kind, str(name), actor)
        return _show(options, custody_chain(ledger, code))


@app.command(name="hand-over")
def hand(
    code: str,
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

    Parameters
    ----------
    code
        The chain's code.
    """
    from seedtrain.base import use_language
    from seedtrain.gmp import hand_over

    options = common or Common()
    with open_record(record) as ledger, use_language(options.lang), signing(ledger, signer) as actor:
        return _show(options, hand_over(ledger, code, actor, seen.observed(), to=to, stage=stage))


@app.command
def receive(code: str, *, seen: Seen, signer: Signer, record: RecordUrl = None, common: Common | None = None) -> int:
    """Take what was handed over to you, after scanning both identifiers again.

    Example: seedtrain custody receive COI-7K3M9QXD4T --scan-code COI-7K3M9QXD4T --scan-token PT-9X2C4V6B8N
    --place "Van 2" --temperature "4.3 degC" --as person-2

    Parameters
    ----------
    code
        The chain's code.
    """
    from seedtrain.base import use_language
    from seedtrain.gmp import receive_custody

    options = common or Common()
    with open_record(record) as ledger, use_language(options.lang), signing(ledger, signer) as actor:
        return _show(options, receive_custody(ledger, code, actor, seen.observed()))


@app.command
def label(
    code: str,
    *,
    out: Annotated[Path, Parameter(help="The PDF to write.")],
    sheet: Annotated[str, Parameter(help="As `lot label` takes it: a4-2x7, roll-70x40 ...")] = "a4-2x7",
    copies: Annotated[int, Parameter(help="Pairs of labels, one with each identifier.")] = 1,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Print the labels of a chain: code and token apart, each as GS1 DataMatrix, with the warnings of 21 CFR 1271.90.

    Example: seedtrain custody label COI-7K3M9QXD4T --out labels.pdf --record record.db

    Parameters
    ----------
    code
        The chain's code.
    """
    from seedtrain.base import use_language, write_atomic
    from seedtrain.gmp import custody_chain, print_custody_labels

    options = common or Common()
    with open_record(record, read_only=True) as ledger, use_language(options.lang):
        found = custody_chain(ledger, code)
        write_atomic(out, print_custody_labels(found, sheet, copies=copies))
        if options.json:
            print_json({"file": str(out), "labels": 2 * copies, "sheet": sheet})
        else:
            print(_("{file}: {count} labels").format(file=out, count=2 * copies))
    return EXIT_DONE


@app.command
def resume(
    code: str,
    *,
    reason: Annotated[str, Parameter(help="Why it may go on.")],
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Let a stopped chain go on, once its deviation is closed; quality does it, and not who was part of the stop.

    Example: seedtrain custody resume COI-7K3M9QXD4T --reason "wristband printed anew, identity confirmed" --as person-5

    Parameters
    ----------
    code
        The chain's code.
    """
    from seedtrain.base import use_language
    from seedtrain.gmp import resume_custody

    options = common or Common()
    with open_record(record) as ledger, use_language(options.lang), signing(ledger, signer) as actor:
        return _show(options, resume_custody(ledger, code, actor, reason))


@app.command
def reveal(
    code: str,
    *,
    reason: Annotated[str, Parameter(help="Why the patient must be known.")],
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Print who the patient is; that somebody looked, and why, stays in the ledger.

    Example: seedtrain custody reveal COI-7K3M9QXD4T --reason "the ward asks for the name" --as person-5

    Parameters
    ----------
    code
        The chain's code.
    """
    from seedtrain.base import use_language
    from seedtrain.gmp import reveal_patient

    options = common or Common()
    with open_record(record) as ledger, use_language(options.lang), signing(ledger, signer) as actor:
        patient = reveal_patient(ledger, code, actor, reason)
        if options.json:
            print_json({"code": code, "patient": patient})
        else:
            print(patient or _("The patient's data was erased."))
    return EXIT_DONE


@app.command
def check(code: str, *, record: RecordUrl = None, common: Common | None = None) -> int:
    """Judge a chain: both sides of every hand-over, limits, time, stops, and whether it came to its end.

    Example: seedtrain custody check COI-7K3M9QXD4T --record record.db

    Parameters
    ----------
    code
        The chain's code.
    """
    from seedtrain.base import use_language
    from seedtrain.gmp import custody_chain, judge_custody
    from seedtrain.quality import verdict_words

    options = common or Common()
    with open_record(record, read_only=True) as ledger, use_language(options.lang):
        verdict = judge_custody(custody_chain(ledger, code))
        if options.json:
            print_json(verdict.to_data())
            return verdict.exit_code
        print(f"{code}: {verdict_words(verdict.verdict)}")
        for item in verdict.criteria:
            print(f"  {verdict_words(item.verdict):<12} {item.name}: {item.value or '-'} ({item.limit})")
        for line in verdict.evidence:
            print(f"  {line}")
    return verdict.exit_code


@app.command
def show(code: str, *, record: RecordUrl = None, common: Common | None = None) -> int:
    """A chain with every hand-over, and what its label must say.

    Example: seedtrain custody show COI-7K3M9QXD4T --record record.db

    Parameters
    ----------
    code
        The chain's code.
    """
    from seedtrain.base import use_language
    from seedtrain.gmp import custody_chain

    options = common or Common()
    with open_record(record, read_only=True) as ledger, use_language(options.lang):
        return _show(options, custody_chain(ledger, code))


@app.command(name="list")
def list_chains(*, record: RecordUrl = None, common: Common | None = None) -> int:
    """Every chain: its stage, who has it, and whether it is stopped.

    Example: seedtrain custody list --record record.db
    """
    from seedtrain.base import use_language
    from seedtrain.gmp import custody_chains

    options = common or Common()
    with open_record(record, read_only=True) as ledger, use_language(options.lang):
        found = custody_chains(ledger)
        if options.json:
            print_json([_data(item) for item in found])
            return EXIT_DONE
        for item in found:
            state = _("stopped") if item.stopped else stage_words(item.stage)
            print(f"{item.code:<16} {item.token:<14} {item.product:<16} {item.custodian:<12} {state}")
    return EXIT_DONE


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


def _show(options: Common, found: Chain) -> int:
    if options.json:
        print_json(_data(found))
        return EXIT_DONE
    print(found.code, found.token, found.product, sep="  ")
    print(*found.label, sep="\n")
    rows = [(_("Stage"), stage_words(found.stage)), (_("Custodian"), found.custodian)]
    rows += [(_("Lots"), ", ".join(found.lots))] if found.lots else []
    rows += [(_("Batches"), ", ".join(found.batches))] if found.batches else []
    rows += [(_("On hold"), f"{found.stopped.reason} ({found.stopped.deviation})")] if found.stopped else []
    for name, value in rows:
        print(f"{name}: {value}")
    for item in found.hand_overs:
        taken = item.received.time if item.received else _("not received yet")
        print(f"  {stage_words(item.stage):<12} {item.given.actor} > {item.to}  {item.given.time}  {taken}", end="  ")
        print(f"{item.given.temperature}, {item.given.condition}")
    return EXIT_DONE


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
