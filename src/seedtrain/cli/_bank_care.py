"""`seedtrain bank`: freezers that were warm, and tests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from seedtrain.cli._acted import acted, exit_code, shown
from seedtrain.cli._arguments import BankName
from seedtrain.cli._bank import app
from seedtrain.cli._bank_words import excursion_data, excursion_lines, found_lines, verdict_lines
from seedtrain.cli._common import Common
from seedtrain.cli._signing import RecordUrl, Signer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seedtrain.record import Ledger


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
    from seedtrain.gmp import record_excursions
    from seedtrain.quantity import parse, parse_range

    allowed = parse_range(limit, like="degC")
    times = parse(longer_than, like="min"), parse(silence, like="min")
    return acted(
        *(signer, record, common),
        lambda ledger, actor: record_excursions(
            ledger, freezer, log, actor, limit=allowed, longer_than=times[0], silence=times[1]
        ),
        lambda found: found_lines(log.name, found),
        data=lambda found: {"freezer": freezer, "excursions": [excursion_data(item) for item in found]},
    )


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
    from seedtrain.gmp import Excursion, assess_excursion, inventory

    def act(ledger: Ledger, actor: str) -> Excursion:
        assess_excursion(ledger, excursion, decision, reason, actor)
        return inventory(ledger).excursions[excursion]

    return acted(signer, record, common, act, excursion_lines, data=excursion_data)


@app.command(name="test")
def record_test(
    bank: BankName,
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
    """
    from seedtrain.base import InputError
    from seedtrain.gmp import inventory, judge_bank, record_bank_result
    from seedtrain.quality import Verdict

    def judge(ledger: Ledger) -> Verdict:
        return judge_bank(ledger, inventory(ledger).bank(bank))

    def act(ledger: Ledger, person: str) -> Verdict:
        record_bank_result(
            *(ledger, bank, str(attribute), str(value), person),
            sample=sample,
            end_of_production=end_of_production,
            valid=not invalid,
        )
        return judge(ledger)

    def tell(found: Verdict) -> Iterator[str]:
        return verdict_lines(bank, found)

    if attribute is None:
        return shown(record, common, judge, tell, data=Verdict.to_data, code=exit_code)
    if value is None or actor is None:
        raise InputError("a result needs its value and who found it", remedy="Give --value and --as.")
    signer = Signer(actor, password_fd)
    return acted(signer, record, common, act, tell, data=Verdict.to_data, code=exit_code)
