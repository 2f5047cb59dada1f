"""The rules of a set against the evidence: one criterion a rule, and what was found for or against it.

Every rule is pass, fail or inconclusive; what is not on record is never a pass. A pass says that the evidence which the
rule asks for is there, and nothing about what follows from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from seedtrain.base import translate as _
from seedtrain.gmp._assurance._composition import Leaf, key_of
from seedtrain.gmp._assurance._evidence import Delivery, Evidence, Finding
from seedtrain.gmp._assurance._line import judge_line
from seedtrain.gmp._assurance._rules import (
    AllergenRule,
    AnyRule,
    CertificateRule,
    HoldRule,
    OriginRule,
    PointRule,
    RuleSet,
    SpeciesRule,
    SubstanceRule,
    TraceRule,
    matches,
)
from seedtrain.quality import Criterion, Verdict, VerdictWord, combine, origin_words
from seedtrain.record import Ledger


def judge_rules(ledger: Ledger, lot: str, rules: RuleSet, *, only: Sequence[str] = ()) -> Verdict:
    """Every rule of a set against what the ledger holds about a lot.

    - `lot`: a lot or a batch. `only`: rules of these kinds; all if not given.

    The criteria bear the rules' ids; `value` is the evidence in words, `limit` what the rule asks for. Where no rule
    applies to anything the verdict is inconclusive. Raises `InputError` for a lot that the ledger does not know.
    """
    evidence = Evidence(ledger, lot)
    criteria: list[Criterion] = []
    lines = [f"rule set {rules.name} {rules.edition}, SHA-256 {rules.digest}"]
    judged = False
    for rule in rules.rules:
        if only and rule.kind not in only:
            continue
        found = _JUDGES[rule.kind](evidence, rule)
        judged |= found.judged
        criteria.append(Criterion(rule.id, found.says, None, rule.says, None, found.word))
        lines += [f"{rule.id}: {line}" for line in found.lines]
        lines.append(f"{rule.id}: {rule.source} ({_CHECKED[rule.checked]})")
    if judged or combine(item.verdict for item in criteria) != "pass":
        return Verdict.of(criteria, lines)
    lines.insert(
        1, _("nothing was judged: no rule of {rules} applies to anything in {lot}").format(rules=rules.name, lot=lot)
    )
    return Verdict("inconclusive", tuple(criteria), tuple(lines))


_CHECKED: Final = {
    "text": "the clause was read",
    "summary": "read in a summary",
    "no": "not checked against the text",
}


def _origin(evidence: Evidence, rule: OriginRule) -> Finding:
    bad = [leaf for leaf in evidence.leaves if matches(leaf.part.origin, rule.excludes)]
    unknown = [leaf for leaf in evidence.leaves if matches(leaf.part.origin, rule.excludes) is None]
    names = ", ".join(origin_words(item) for item in rule.excludes if item != "any")
    return _of_leaves(evidence, bad, unknown, names)


def _substance(evidence: Evidence, rule: SubstanceRule) -> Finding:
    wanted = [key_of(name) for name in rule.excludes]
    bad = [leaf for leaf in evidence.leaves if any(name in key_of(leaf.part.name) for name in wanted)]
    unlisted = [
        leaf for leaf in evidence.leaves if leaf.part.origin is None and leaf.part.name in (leaf.material, leaf.lot)
    ]
    return _of_leaves(evidence, bad, unlisted, ", ".join(rule.excludes))


def _allergen(evidence: Evidence, rule: AllergenRule) -> Finding:
    wanted = {key_of(name) for name in rule.excludes}
    bad = [leaf for leaf in evidence.leaves if wanted & {key_of(name) for name in leaf.part.allergens or ()}]
    unknown = [leaf for leaf in evidence.leaves if leaf.part.allergens is None]
    return _of_leaves(evidence, bad, unknown, ", ".join(rule.excludes))


def _of_leaves(evidence: Evidence, bad: Sequence[Leaf], unknown: Sequence[Leaf], names: str) -> Finding:
    total = len(evidence.leaves)
    if bad:
        says = _("{count} of {total} ingredients: {names}").format(count=len(bad), total=total, names=names)
    else:
        says = _("none of {total} ingredients: {names}").format(total=total, names=names)
    if unknown:
        says += "; " + _("{count} of {total} ingredients undeclared").format(count=len(unknown), total=total)
    word: VerdictWord = "fail" if bad else "inconclusive" if unknown else "pass"
    lines = [f"{leaf.words}, {leaf.part.origin or 'origin not declared'}" for leaf in (*bad, *unknown)]
    return Finding(word, says, tuple(dict.fromkeys(lines)))


def _applies(evidence: Evidence, origins: tuple[str, ...]) -> list[tuple[Delivery, bool | None]]:
    """The deliveries to which a rule on these origins applies: surely (True), or perhaps (None)."""
    found: list[tuple[Delivery, bool | None]] = []
    for item in evidence.deliveries:
        answers = [matches(leaf.part.origin, origins) for leaf in evidence.leaves_of(item.lot.id)]
        if any(answers):
            found.append((item, True))
        elif None in answers:
            found.append((item, None))
    return found


def _gaps(evidence: Evidence) -> list[VerdictWord]:
    """Lots of which nothing is known, and a batch that nothing went into: no rule passes for want of anything."""
    return ["inconclusive"] * (len(evidence.unknown) + (not evidence.deliveries))


def _certificate(evidence: Evidence, rule: CertificateRule) -> Finding:
    needed = [(item, sure) for item, sure in _applies(evidence, rule.origins) if item.received]
    words: list[VerdictWord] = []
    lines: list[str] = []
    good = 0
    for item, sure in needed:
        mine = [
            found
            for found in evidence.certificates
            if found.names(item.lot) and key_of(found.scheme) in {key_of(name) for name in rule.schemes}
        ]
        faults = [found.fault(item.day) for found in mine]
        name = f"{item.lot.id} ({item.lot.material}, {item.lot.supplier})"
        if "" in faults:
            number = mine[faults.index("")].number
            lines.append(f"{name}: certificate {number}")
            words.append("pass")
            good += 1
        elif mine:
            lines += [f"{name}: {found.number} {fault}" for found, fault in zip(mine, faults, strict=True)]
            words.append("fail" if sure else "inconclusive")
        else:
            lines.append(f"{name}: no certificate on record" + ("" if sure else "; origin not declared"))
            words.append("inconclusive")
    words += _gaps(evidence)
    says = _("{good} of {needed} lots that need a certificate have one").format(good=good, needed=len(needed))
    return Finding(combine([*words, "pass"]), says, tuple(lines), judged=bool(needed))


def _point(evidence: Evidence, rule: PointRule) -> Finding:
    words: list[VerdictWord] = []
    lines: list[str] = []
    applies = _applies(evidence, rule.origins)
    for item, sure in applies:
        checks = evidence.points(item.lot.id, rule.point)
        if not checks:
            lines.append(f"{item.lot.id} ({item.lot.material}): {rule.point} not checked")
            words.append("inconclusive")
        for event in checks:
            lines.append(f"{item.lot.id}: {rule.point} {event.payload['result']}, {event.payload['basis']}")
            words.append("pass" if event.payload["result"] == "pass" else "fail")
        if sure is None and not checks:
            lines[-1] += "; origin not declared"
    words += _gaps(evidence)
    done = sum(bool(evidence.points(item.lot.id, rule.point)) for item, _sure in applies)
    says = _("checked on {done} of {needed} lots to which it applies").format(done=done, needed=len(applies))
    return Finding(combine([*words, "pass"]), says, tuple(lines), judged=bool(applies))


def _species(evidence: Evidence, rule: SpeciesRule) -> Finding:
    asked = [item.lot.id for item, _sure in _applies(evidence, rule.origins)] if rule.origins else []
    asked += [evidence.lot] if rule.product == "yes" else []
    words: list[VerdictWord] = []
    lines: list[str] = []
    tested = 0
    for lot in dict.fromkeys(asked):
        tests = evidence.tests(lot, rule.target)
        tested += bool(tests)
        if not tests:
            lines.append(f"{lot}: no test for {rule.target}")
            words.append("inconclusive")
        for event in tests:  # every test counts: a later one never takes the place of one that failed
            lines.append(f"{lot}: {event.payload['verdict']}, {event.payload['summary']}")
            words.append(event.payload["verdict"])
    words += _gaps(evidence)
    target = origin_words(rule.target)
    says = _("{tested} of {needed} lots tested for {target}").format(
        tested=tested, needed=len(dict.fromkeys(asked)), target=target
    )
    return Finding(combine([*words, "pass"]), says, tuple(lines), judged=bool(asked))


def _trace(evidence: Evidence, _rule: TraceRule) -> Finding:
    nameless = [item.lot.id for item in evidence.deliveries if item.received and not item.lot.supplier.strip()]
    lost = [*evidence.unknown, *nameless]
    count = sum(item.received for item in evidence.deliveries)
    says = _("{count} deliveries traced, {lost} not").format(count=count, lost=len(lost))
    word: VerdictWord = "fail" if lost else "pass" if count else "inconclusive"
    return Finding(word, says, tuple(f"{name}: never received, or without a supplier" for name in lost))


def _hold(evidence: Evidence, _rule: HoldRule) -> Finding:
    says = _("{count} open holds").format(count=len(evidence.holds))
    lines = tuple(f"{item.hold} on {item.lot}: {item.reason}" for item in evidence.holds)
    return Finding("fail" if lines else "pass", says, lines)


def without_product(rules: Iterable[AnyRule]) -> tuple[str, ...]:
    """The kinds of rules that speak of a lot before it is used."""
    used = ("origin", "substance", "allergen", "certificate", "critical_point", "traceability", "no_hold")
    return tuple(kind for kind in used if any(rule.kind == kind for rule in rules))


_JUDGES: Final[dict[str, Callable[[Evidence, Any], Finding]]] = {
    "origin": _origin,
    "substance": _substance,
    "allergen": _allergen,
    "certificate": _certificate,
    "line": judge_line,
    "critical_point": _point,
    "species_test": _species,
    "traceability": _trace,
    "no_hold": _hold,
}
