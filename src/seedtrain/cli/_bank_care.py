"""`seedtrain bank`: freezers that were warm, and tests."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from seedtrain.base import EXIT_DONE
from seedtrain.base import translate as _
from seedtrain.cli._bank import app
from seedtrain.cli._bank_words import done, excursion_data, print_excursion, print_verdict
from seedtrain.cli._common import Common, print_json
from seedtrain.cli._signing import RecordUrl, Signer, open_record, signing


@app.command
def excursion(
    freezer: str,
    log: Path,
    *,
    limit: Annotated[str, Parameter(help="Allowed temperatures, such as '<= -130 degC'.")],
    longer_than: Annotated[str, Parameter(help="An excursion that is no longer does not count.")] = "0 min",
    silence: Annotated[str, Parameter(help="A logger that says nothing for longer counts as an excursion.")] = "1 h",
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Read a freezer's logger and put every vial that stood there during an excursion on hold.

    Example: seedtrain bank excursion F1 f1.csv --limit "<= -130 degC" --longer-than "10 min" --as person-1

    Parameters
    ----------
    freezer
        The freezer, as places name it.
    log
        CSV with the columns time (ISO 8601 with a zone) and temperature (degC).
    """
    from seedtrain.base import use_language
    from seedtrain.gmp import record_excursions
    from seedtrain.quantity import parse, parse_range

    options = common or Common()
    allowed = parse_range(limit, like="degC")
    times = parse(longer_than, like="min"), parse(silence, like="min")
    with open_record(record) as ledger, use_language(options.lang), signing(ledger, signer) as actor:
        found = record_excursions(ledger, freezer, log, actor, limit=allowed, longer_than=times[0], silence=times[1])
        if options.json:
            print_json({"freezer": freezer, "excursions": [excursion_data(item) for item in found]})
            return EXIT_DONE
        if not found:
            print(_("No excursion in {file}").format(file=log.name))
        for item in found:
            print_excursion(item)
    return EXIT_DONE


@app.command
def assess(
    excursion: str,
    *,
    decision: Literal["keep", "reject"],
    reason: Annotated[str, Parameter(help="What the assessment rests on.")],
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Decide on the vials of an excursion: keep ends their hold, reject leaves them for testing or the bin.

    Example: seedtrain bank assess EXC-1a2b3c4d --decision keep --reason "viability after thaw 94 %" --as person-3

    Parameters
    ----------
    excursion
        The id that `bank excursion` printed.
    """
    from seedtrain.gmp import assess_excursion, inventory

    with open_record(record) as ledger, signing(ledger, signer) as actor:
        assess_excursion(ledger, excursion, decision, reason, actor)
        found = inventory(ledger).excursions[excursion]
    return done(common or Common(), excursion_data(found))


@app.command(name="test")
def record_test(
    bank: str,
    *,
    attribute: Annotated[str | None, Parameter(help="A test of the plan; without it, only the verdict.")] = None,
    value: Annotated[str | None, Parameter(help="Such as '= 94 %', a word, or '< 0.5 EU/mL'.")] = None,
    sample: str = "",
    end_of_production: Annotated[bool, Parameter(negative="", help="Of cells at the limit of their age.")] = False,
    invalid: Annotated[bool, Parameter(negative="", help="The test itself failed.")] = False,
    actor: Annotated[str | None, Parameter(name="--as", help="Who found it, such as person-1.")] = None,
    password_fd: Annotated[int | None, Parameter(name="--password-fd", help="Read the password from here.")] = None,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Record a result of the testing plan, and print the verdict of the whole plan.

    Example: seedtrain bank test MCB-1 --attribute sterility --value "no growth" --sample S-9 --as person-4

    Parameters
    ----------
    bank
        The bank.
    """
    from seedtrain.base import InputError, use_language
    from seedtrain.gmp import inventory, judge_bank, record_bank_result

    options = common or Common()
    with open_record(record, read_only=attribute is None) as ledger, use_language(options.lang):
        if attribute is not None:
            if value is None or actor is None:
                raise InputError("a result needs its value and who found it", remedy="Give --value and --as.")
            with signing(ledger, Signer(actor, password_fd)):
                record_bank_result(
                    ledger,
                    bank,
                    attribute,
                    value,
                    actor,
                    sample=sample,
                    end_of_production=end_of_production,
                    valid=not invalid,
                )
        verdict = judge_bank(ledger, inventory(ledger).bank(bank))
        print_verdict(options, bank, verdict)
    return verdict.exit_code
