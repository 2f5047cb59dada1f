"""Which rule sets a recipe must meet, and the gate that asks for them before a lot goes in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from seedtrain.base import InputError, digest, use_language
from seedtrain.gmp._assurance._composition import DECIDE
from seedtrain.gmp._assurance._judge import judge_rules, without_product
from seedtrain.gmp._assurance._rules import RuleSet
from seedtrain.gmp._authority import authorise
from seedtrain.gmp._batch._gate import Asked
from seedtrain.gmp._standing import Standing
from seedtrain.recipe import Refusal
from seedtrain.record import Draft, Event, Ledger, append_signed

REQUIRED: Final = "assurance.required"


def require_rules(
    ledger: Ledger, recipe: str, rules: RuleSet, actor: str, *, ended: bool = False, at: datetime | None = None
) -> tuple[Event, ...]:
    """Say that every batch of a recipe, by its name, meets a rule set from now on; or no longer. Signed.

    The whole rule set goes into the ledger, so that a change of the file changes nothing until it is required anew.
    """
    authorise(ledger, actor, DECIDE)
    if not recipe.strip():
        raise InputError("no recipe is named", remedy="Give its name, as the recipe's file writes it.")
    present = required_rules(ledger, recipe)
    if (rules.name in present) != ended and (ended or present[rules.name] == rules):
        return ()
    if ended and rules.name not in present:
        return ()
    payload = {"name": rules.name, "digest": rules.digest, "ended": ended, "rules": rules.to_data()}
    count = sum(1 for _event in ledger.events(subject=recipe, type=REQUIRED))
    identity = digest([REQUIRED, recipe, rules.digest, ended, count])[:32]
    return append_signed(ledger, Draft(REQUIRED, recipe, payload, actor, at, id=identity), "rule set required")


def required_rules(ledger: Ledger, recipe: str) -> dict[str, RuleSet]:
    """The rule sets that a recipe must meet now, by name."""
    found: dict[str, RuleSet] = {}
    standing = Standing(ledger)
    for event in ledger.events(subject=recipe, type=REQUIRED):
        if not standing.counts(event, DECIDE):
            continue  # it might take a stricter set away
        found.pop(str(event.payload["name"]), None)
        if not event.payload["ended"]:
            found[str(event.payload["name"])] = RuleSet.from_data(event.payload["rules"])
    return found


def assurance_gate(asked: Asked) -> Iterator[Refusal]:
    """Each lot of a phase meets the rules that its recipe must meet, as far as they speak of a lot before its use.

    A rule that is left open (nothing on record) may be lifted by quality under a deviation; one that fails may not.
    """
    if not asked.request.lots:
        return
    for rules in required_rules(asked.ledger, asked.record.header.recipe).values():
        for lot in asked.request.lots:
            try:
                with use_language("en"):  # a refusal is stored, and read by machines
                    verdict = judge_rules(asked.ledger, lot, rules, only=without_product(rules.rules))
            except InputError:
                continue  # the gate of lots says that there is none
            for item in verdict.criteria:
                if item.verdict != "pass":
                    words = f"lot {lot} does not meet the rule {item.name} of {rules.name}: {item.value}"
                    remedy = f"Record the evidence, or use another lot: seedtrain assurance judge {lot}."
                    liftable = item.verdict == "inconclusive"
                    yield Refusal(words, remedy, f"assurance.{item.name.replace(' ', '-')}", lot, liftable=liftable)
