"""`seedtrain bank`: cell, microbial and vector banks, their vials in the freezer, and their tests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from seedtrain.base import EXIT_DONE
from seedtrain.base import translate as _
from seedtrain.cli._common import Common, print_json
from seedtrain.cli._signing import RecordUrl, Signer, open_record, signing

if TYPE_CHECKING:
    from datetime import date

    from seedtrain.gmp import Bank, Excursion, Inventory, Vial, Withdrawal
    from seedtrain.quality import Constituent, Verdict

app = App(name="bank", help="Cell and vector banks: vials, places, withdrawals, excursions, tests.")
Vials = Annotated[list[str] | None, Parameter(name="--vial", negative="", help="Such as MCB-1-007; repeat it.")]


@app.command
def create(
    bank: str,
    *,
    tier: Literal["research", "master", "working"],
    kind: Literal["cell", "microbial", "vector"],
    material: Annotated[str, Parameter(help="What is in it: the line, strain or vector.")],
    age: Annotated[int, Parameter(help="Passages or generations of the cells in it.")],
    age_limit: Annotated[int, Parameter(help="The limit of in vitro age for production.")],
    parent: Annotated[str, Parameter(name="--from", help="The vial or lot that it is made from.")] = "",
    age_unit: Literal["passages", "generations", "population doublings"] = "passages",
    reserve: Annotated[int, Parameter(help="Warn when fewer vials than this are left.")] = 0,
    plan: Annotated[str | None, Parameter(help="cell, microbial, vector, or a file of one's own.")] = None,
    contains: Annotated[
        list[str] | None, Parameter(negative="", help="NAME=ORIGIN of what is in it; repeat it.")
    ] = None,
    expiry: Annotated[str, Parameter(help="The last day on which a vial may be used, if there is one.")] = "9999-12-31",
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Begin a bank, with its age, its limit of age and its testing plan.

    Example: seedtrain bank create MCB-1 --tier master --kind cell --material CHO --age 12 --age-limit 60 --as person-1

    Parameters
    ----------
    bank
        Its id, such as MCB-1.
    """
    from seedtrain.gmp import create_bank, read_plan

    options = common or Common()
    found = read_plan(plan or kind).to_data()
    inside, last = _inside(contains or []), _day(expiry)
    with open_record(record) as ledger, signing(ledger, signer) as actor:
        create_bank(
            ledger,
            bank,
            actor,
            tier=tier,
            kind=kind,
            material=material,
            age=age,
            age_limit=age_limit,
            parent=parent,
            age_unit=age_unit,
            reserve=reserve,
            plan=found,
            contains=inside,
            expiry=last,
        )
    return _done(options, {"bank": bank, "tier": tier, "plan": found["name"], "plan_digest": found["digest"]})


def _inside(texts: list[str]) -> list[Constituent]:
    from seedtrain.base import InputError
    from seedtrain.quality import ORIGINS, Constituent

    found = []
    for text in texts:
        name, _sign, origin = text.partition("=")
        if not name.strip() or origin not in ("", *ORIGINS):
            raise InputError(f"{text!r} is no NAME=ORIGIN", remedy=f"Origins: {', '.join(ORIGINS)}; empty: not known.")
        found.append(Constituent(name.strip(), origin or None))
    return found


def _day(text: str) -> date:
    from datetime import date

    from seedtrain.base import InputError

    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{text!r} is not a date", remedy="Write year-month-day, such as 2040-05-31.") from None


@app.command
def fill(
    bank: str,
    *,
    vials: Annotated[int, Parameter(help="How many were filled.")],
    content: Annotated[str, Parameter(help="Of each vial, as its label says it.")] = "",
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Say how many vials a bank has, once and for all; they are called BANK-001 and so on.

    Example: seedtrain bank fill MCB-1 --vials 200 --content "1 mL, 1e7 cells" --as person-1

    Parameters
    ----------
    bank
        The bank.
    """
    from seedtrain.gmp import fill_bank, vial_id

    with open_record(record) as ledger, signing(ledger, signer) as actor:
        fill_bank(ledger, bank, vials, actor, content=content)
    first, last = vial_id(bank, 1), vial_id(bank, vials)
    return _done(common or Common(), {"bank": bank, "vials": vials, "first": first, "last": last})


@app.command
def place(
    bank: str,
    box: str,
    *,
    vial: Vials = None,
    first: Annotated[str, Parameter(help="The first position, such as A1; else the free ones.")] = "",
    grid: Annotated[str, Parameter(help="Rows x columns of a new box; 9x9 if not given.")] = "",
    count: Annotated[int | None, Parameter(help="So many of those that have no place yet.")] = None,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Put vials into a box, row by row: those named, or all that have no place yet.

    Example: seedtrain bank place MCB-1 F1/R2/B3 --count 81 --as person-1

    Parameters
    ----------
    bank
        The bank.
    box
        Freezer, rack and box: F1/R2/B3.
    """
    from seedtrain.gmp import inventory, place_vials

    with open_record(record) as ledger, signing(ledger, signer) as actor:
        names = list(vial or [])
        if not names and count is not None:
            loose = [item.id for item in inventory(ledger).of(bank) if item.state == "stored" and item.place is None]
            names = loose[:count]
        place_vials(ledger, bank, box, actor, vials=names, first=first, grid=grid)
        held = inventory(ledger)
    rows = {item.id: str(item.place) for item in held.of(bank) if item.place and (not names or item.id in names)}
    return _done(common or Common(), {"bank": bank, "places": rows})


@app.command
def move(
    moves: list[str],
    *,
    reason: Annotated[str, Parameter(help="Why.")] = "",
    grid: Annotated[str, Parameter(help="Rows x columns of a new box.")] = "",
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Move vials to other places, all of them at once or none.

    Example: seedtrain bank move MCB-1-001=F2/R1/B1/A1 MCB-1-002=F2/R1/B1/A2 --as person-1

    Parameters
    ----------
    moves
        VIAL=PLACE, into one box.
    """
    from seedtrain.base import InputError
    from seedtrain.gmp import inventory, move_vials

    wanted: dict[str, str] = {}
    for text in moves:
        name, sign, there = text.partition("=")
        if not sign or name in wanted:
            raise InputError(f"{text!r} is not a move, or moves a vial twice", remedy="Write MCB-1-001=F2/R1/B1/A1.")
        wanted[name] = there
    with open_record(record) as ledger, signing(ledger, signer) as actor:
        move_vials(ledger, wanted, actor, grid=grid, reason=reason)
        held = inventory(ledger)
    return _done(common or Common(), {"places": {name: str(held.vial(name).place) for name in wanted}})


@app.command
def withdraw(
    bank: str,
    *,
    purpose: Literal["production", "bank", "testing", "transfer", "destruction"],
    reason: Annotated[str, Parameter(help="Why.")],
    vial: Vials = None,
    count: Annotated[int, Parameter(help="Or so many of the free ones.")] = 0,
    used_for: Annotated[str, Parameter(name="--for", help="The batch or bank that they go into.")] = "",
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Take vials out of a bank; from a master bank a second person must confirm it.

    Example: seedtrain bank withdraw WCB-1 --count 1 --purpose production --for B-7 --reason "batch B-7" --as person-1

    Parameters
    ----------
    bank
        The bank.
    """
    from seedtrain.base import use_language
    from seedtrain.gmp import withdraw_vials

    options = common or Common()
    with open_record(record) as ledger, use_language(options.lang), signing(ledger, signer) as actor:
        found = withdraw_vials(
            ledger, bank, actor, purpose=purpose, reason=reason, vials=vial or (), count=count, used_for=used_for
        )
        return _withdrawn(options, found)


@app.command
def confirm(bank: str, request: str, *, signer: Signer, record: RecordUrl = None, common: Common | None = None) -> int:
    """Take the vials out that another person asked for; two persons stand for a master bank.

    Example: seedtrain bank confirm MCB-1 MCB-1-W-1a2b3c4d --as person-2

    Parameters
    ----------
    bank
        The bank.
    request
        The id that `bank withdraw` printed.
    """
    from seedtrain.base import use_language
    from seedtrain.gmp import confirm_withdrawal

    options = common or Common()
    with open_record(record) as ledger, use_language(options.lang), signing(ledger, signer) as actor:
        return _withdrawn(options, confirm_withdrawal(ledger, bank, request, actor))


def _withdrawn(options: Common, found: Withdrawal) -> int:
    if options.json:
        print_json(
            {
                "bank": found.bank,
                "vials": list(found.vials),
                "request": found.request or None,
                "left": found.left,
                "reserve": found.reserve,
                "below_reserve": found.below_reserve,
                "tests": found.tests,
            }
        )
        return EXIT_DONE
    print(*found.vials, sep="\n")
    if found.request:
        print(_("A second person confirms it: {request}").format(request=found.request))
    print(_("{count} vials are left, the reserve is {reserve}").format(count=found.left, reserve=found.reserve))
    if found.below_reserve:
        print(_("Warning: the bank is below its reserve. Plan the next one."))
    return EXIT_DONE


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
            print_json({"freezer": freezer, "excursions": [_excursion_data(item) for item in found]})
            return EXIT_DONE
        if not found:
            print(_("No excursion in {file}").format(file=log.name))
        for item in found:
            _print_excursion(item)
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
    return _done(common or Common(), _excursion_data(found))


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
        _print_verdict(options, bank, verdict)
    return verdict.exit_code


@app.command(name="list")
def list_banks(*, record: RecordUrl = None, common: Common | None = None) -> int:
    """Every bank: tier, age, how many vials are stored, withdrawn and destroyed, and how its tests stand.

    Example: seedtrain bank list --record record.db
    """
    from seedtrain.base import use_language
    from seedtrain.gmp import inventory, judge_bank
    from seedtrain.quality import verdict_words

    options = common or Common()
    with open_record(record, read_only=True) as ledger, use_language(options.lang):
        held = inventory(ledger)
        rows = [_bank_data(held, bank) | {"tests": judge_bank(ledger, bank).verdict} for bank in held.banks.values()]
        if options.json:
            print_json(rows)
            return EXIT_DONE
        for row in rows:
            counts = _("{stored} stored, {withdrawn} withdrawn, {destroyed} destroyed").format(**row)
            low = "  " + _("below reserve") if row["below_reserve"] else ""
            age = f"{row['age']}/{row['age_limit']} {row['age_unit']}"
            print(f"{row['bank']:<12} {row['tier']:<9} {row['material']:<16} {age:<20} {counts}{low}", end="  ")
            print(verdict_words(str(row["tests"])))
    return EXIT_DONE


@app.command
def show(bank: str, *, record: RecordUrl = None, common: Common | None = None) -> int:
    """A bank with every vial: where it is, what it was used for, and what holds it.

    Example: seedtrain bank show MCB-1 --record record.db

    Parameters
    ----------
    bank
        The bank.
    """
    from seedtrain.base import use_language
    from seedtrain.gmp import inventory, vial_words

    options = common or Common()
    with open_record(record, read_only=True) as ledger, use_language(options.lang):
        held = inventory(ledger)
        found = held.bank(bank)
        data = _bank_data(held, found)
        if options.json:
            asked = [{"request": item.id, "vials": list(item.vials), "by": item.actor} for item in found.asked.values()]
            vials = [_vial_data(item) for item in held.of(bank)]
            print_json(data | {"plan": found.plan.get("name"), "asked": asked, "vials": vials})
            return EXIT_DONE
        print(*(f"{name}: {value}" for name, value in data.items()), sep="\n")
        for item in held.of(bank):
            print(f"{item.id:<16} {vial_words(item):<10} {item.place or '-'!s:<18} {item.used_for} {item.why_held}")
    return EXIT_DONE


@app.command(name="map")
def show_map(box: str, *, svg: Path | None = None, record: RecordUrl = None, common: Common | None = None) -> int:
    """A box as a table of its positions, or as an SVG picture.

    Example: seedtrain bank map F1/R2/B3 --svg box.svg --record record.db

    Parameters
    ----------
    box
        Freezer, rack and box: F1/R2/B3.
    svg
        Write the picture here.
    """
    from seedtrain.base import use_language, write_atomic
    from seedtrain.gmp import box_map, box_svg, inventory

    options = common or Common()
    with open_record(record, read_only=True) as ledger, use_language(options.lang):
        held = inventory(ledger)
        grid, vials = box_map(held, box)
        if svg is not None:
            write_atomic(svg, box_svg(held, box))
        if options.json:
            print_json({"box": box, "grid": str(grid), "vials": {at: item.id for at, item in vials.items()}})
            return EXIT_DONE
        width = max((len(item.id) for item in vials.values()), default=3) + 1
        print(f"{box}\n  " + "".join(f"{column:<{width + 1}}" for column in range(1, grid.columns + 1)))
        for at, position in enumerate(grid.positions()):
            if at % grid.columns == 0:
                print(("\n" if at else "") + position[0], end=" ")
            item = vials.get(position)
            print(f"{(item.id + ('!' if item.on_hold else '')) if item else '.':<{width}}", end=" ")
        print("\n" + _("! = on hold, or not to be used"))
    return EXIT_DONE


def _bank_data(held: Inventory, bank: Bank) -> dict[str, Any]:
    stored = held.count(bank.id, "stored")
    return {
        "bank": bank.id,
        "tier": bank.tier,
        "kind": bank.kind,
        "material": bank.material,
        "from": bank.parent or None,
        "age": bank.age,
        "age_limit": bank.age_limit,
        "age_unit": bank.age_unit,
        "made": bank.made,
        "stored": stored,
        "withdrawn": held.count(bank.id, "withdrawn"),
        "destroyed": held.count(bank.id, "destroyed"),
        "on_hold": sum(item.on_hold for item in held.of(bank.id)),
        "reserve": bank.reserve,
        "below_reserve": stored < bank.reserve,
    }


def _vial_data(vial: Vial) -> dict[str, Any]:
    return {
        "vial": vial.id,
        "state": vial.state,
        "place": str(vial.place) if vial.place else None,
        "purpose": vial.purpose or None,
        "for": vial.used_for or None,
        "holds": list(vial.open_holds),
        "rejected": vial.rejected or None,
    }


def _excursion_data(item: Excursion) -> dict[str, Any]:
    return {
        "excursion": item.id,
        "kind": item.kind,
        "start": item.start,
        "end": item.end,
        "minutes": item.minutes,
        "peak": item.peak or None,
        "limit": item.limit,
        "vials": list(item.vials),
        "decision": item.decision or None,
    }


def _print_excursion(item: Excursion) -> None:
    what = _("no data") if item.kind == "no data" else f"{item.peak} degC ({item.limit})"
    print(f"{item.id}  {item.start} .. {item.end}  {item.minutes} min  {what}")
    print("  " + _("{count} vials on hold until it is assessed").format(count=len(item.vials)))


def _print_verdict(options: Common, name: str, verdict: Verdict) -> None:
    from seedtrain.quality import verdict_words

    if options.json:
        print_json(verdict.to_data())
        return
    print(f"{name}: {verdict_words(verdict.verdict)}")
    for item in verdict.criteria:
        print(f"  {verdict_words(item.verdict):<12} {item.name}: {item.value or '-'} ({item.limit})")
    for line in verdict.evidence:
        print(f"  {line}")


def _done(options: Common, data: dict[str, Any]) -> int:
    if options.json:
        print_json(data)
        return EXIT_DONE
    for name, value in data.items():
        if isinstance(value, dict):
            print(*(f"{key}  {item}" for key, item in value.items()), sep="\n")
        else:
            print(f"{name}: {', '.join(map(str, value)) if isinstance(value, list) else value}")
    return EXIT_DONE
