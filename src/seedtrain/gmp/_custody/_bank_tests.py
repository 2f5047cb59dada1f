"""Results of a bank's tests, and the verdict of its testing plan."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from seedtrain.base import InputError
from seedtrain.gmp._authority import authorise
from seedtrain.gmp._custody._banks import Bank, inventory
from seedtrain.gmp._custody._plans import Plan, PlanTest
from seedtrain.gmp._lots._holds import hold_downstream
from seedtrain.gmp._standing import Standing
from seedtrain.quality import Criterion, Limit, Result, Specification, Verdict, judge
from seedtrain.quantity import QuantityError, parse
from seedtrain.record import Draft, Event, Ledger, append_signed

RECORD: Final = "result.record"
END_OF_PRODUCTION: Final = "end_of_production"


def record_bank_result(
    ledger: Ledger,
    name: str,
    attribute: str,
    value: str,
    actor: str,
    *,
    sample: str,
    end_of_production: bool = False,
    valid: bool = True,
    at: datetime | None = None,
) -> tuple[Event, ...]:
    """Record one result of a bank's testing plan, signed by who found it.

    - `value`: a quantity with its unit, a word, or `< 0.5 EU/mL` where nothing was found above it.
    - `end_of_production`: of cells grown from this bank to the limit of in vitro age.

    Every valid result counts: a later one never takes the place of one that failed, which also puts the bank and all
    that was made from it on hold. Raises `InputError`.
    """
    authorise(ledger, actor, RECORD)
    bank = inventory(ledger).bank(name)
    level = END_OF_PRODUCTION if end_of_production else bank.tier
    test = _test(Plan.from_data(bank.plan), level, attribute)
    if not sample.strip():
        raise InputError(f"the result for {attribute} names no sample", remedy="Say which: --sample.")
    payload = {
        "attribute": attribute,
        "value": value,
        "method": test.method,
        "limit": test.limit.text,
        "sample": sample,
        "level": level,
        "valid": valid,
    }
    found = judge(Specification((test.line(),)), [_result(payload)])
    events = append_signed(ledger, Draft("bank.tested", name, payload, actor, at), "result recorded")
    if found.verdict == "fail" and bank.made:
        words = f"{attribute} of the bank {name} is {value}, the limit is {test.limit.text}"
        hold_downstream(ledger, name, words, actor, cause=events[0].id, at=at)
    return events


def judge_bank(ledger: Ledger, bank: Bank) -> Verdict:
    """The testing plan against all results: of the bank itself, and of the cells at the end of production.

    A test without a valid result is inconclusive; so is a bank without a plan.
    """
    plan = Plan.from_data(bank.plan)
    results: dict[str, list[Result]] = {}
    standing = Standing(ledger)
    for event in ledger.events(subject=bank.id, type="bank.tested"):
        if not standing.counts(event, RECORD):
            continue  # written past the command: it vouches for nothing
        results.setdefault(str(event.payload["level"]), []).append(_result(event.payload))
    criteria: list[Criterion] = []
    evidence = [f"testing plan {plan.name}, SHA-256 {bank.plan['digest']}"] if plan.tests else ["no testing plan"]
    for level in dict.fromkeys((bank.tier, END_OF_PRODUCTION)):
        mine = results.get(level, [])
        specification = plan.specification(level, frozenset(item.attribute for item in mine))
        if not specification.lines:
            continue
        found = judge(specification, mine)
        mark = "" if level == bank.tier else "end of production: "
        criteria += [
            Criterion(
                f"{mark}{item.name}", item.value, item.interval, item.limit, item.limit_of_detection, item.verdict
            )
            for item in found.criteria
        ]
        evidence += [f"{mark}{line}" for line in found.evidence]
    return Verdict.of(criteria, evidence)


def _test(plan: Plan, level: str, attribute: str) -> PlanTest:
    for test in plan.at(level):
        if test.attribute == attribute:
            return test
    known = ", ".join(test.attribute for test in plan.at(level)) or "none"
    raise InputError(
        f"the testing plan has no test {attribute!r} on the level {level}", remedy=f"Its tests there: {known}."
    )


def _result(payload: Mapping[str, Any]) -> Result:
    text = str(payload["value"]).strip()
    limit = Limit.parse(str(payload["limit"]))
    attribute, method, sample = (str(payload[name]) for name in ("attribute", "method", "sample"))
    if limit.range is None:
        return Result(attribute, text, method, sample, valid=payload["valid"] is True)
    try:
        value = parse(text.removeprefix("<").strip(), like=limit.unit)
    except QuantityError as error:
        raise InputError(f"{attribute}: {error.message}", remedy=error.remedy or f"The limit is {limit}.") from None
    below = text.startswith("<")
    return Result(attribute, value, method, sample, detected=not below, valid=payload["valid"] is True)
