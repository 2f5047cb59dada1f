"""What else was made on the same equipment, and how it was cleaned in between."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from seedtrain.base import translate as _
from seedtrain.gmp._assurance._composition import key_of
from seedtrain.gmp._assurance._evidence import Evidence, Finding
from seedtrain.gmp._assurance._rules import LineRule, matches
from seedtrain.gmp._equipment_state import Equipment, Use
from seedtrain.quality import VerdictWord, combine


def judge_line(evidence: Evidence, rule: LineRule) -> Finding:
    """Each piece of equipment that the batches upstream used: what came before on it, and what cleaned it since.

    A batch upstream that is in no log of use leaves the rule open, and so does an earlier product whose ingredients
    are not all declared, unless a cleaning that counts stands between.
    """
    ours = set(evidence.batches)
    used = [item for item in evidence.equipment if any(use.batch in ours for use in item.uses)]
    words: list[VerdictWord] = []
    lines: list[str] = []
    for item in used:
        word, said = _equipment(evidence, rule, item, ours)
        words.append(word)
        lines += said
    logged = {use.batch for item in used for use in item.uses}
    unlogged = [name for name in evidence.batches if name not in logged and _made_here(evidence, name)]
    lines += [f"{name}: no log of equipment" for name in unlogged]
    words += ["inconclusive"] * (len(unlogged) + (not evidence.deliveries))
    says = _("{count} pieces of equipment looked at, {open} batches without a log of equipment").format(
        count=len(used), open=len(unlogged)
    )
    return Finding(combine([*words, "pass"]), says, tuple(lines), judged=bool(used or unlogged))


def _made_here(evidence: Evidence, name: str) -> bool:
    return next(iter(evidence.ledger.events(subject=name, type="batch.created")), None) is not None


def _equipment(evidence: Evidence, rule: LineRule, item: Equipment, ours: set[str]) -> tuple[VerdictWord, list[str]]:
    first = next(use.seq for use in item.uses if use.batch in ours)
    last = max(use.seq for use in item.uses if use.batch in ours)
    words: list[VerdictWord] = []
    lines: list[str] = []
    before = [use for use in item.uses if use.seq < last and use.batch not in ours]
    for use in before:
        forbidden = _forbidden(evidence, rule, use)
        if forbidden is False:
            continue
        until = min((own.seq for own in item.uses if own.batch in ours and own.seq > use.seq), default=first)
        cleaning = _cleaned(item, rule, use.seq, until)
        what = f"{item.id}: {use.batch} ({use.product}) before, " + (
            "of the origins excluded" if forbidden else "ingredients not declared"
        )
        if cleaning:
            words.append("pass")
            lines.append(f"{what}; cleaned since by {cleaning}")
        else:
            words.append("fail" if forbidden else "inconclusive")
            lines.append(f"{what}; no cleaning since that counts")
    turns = _turns([_forbidden(evidence, rule, use) is True for use in item.uses if use.seq <= last])
    if turns > rule.conversions:
        words.append("fail")
        lines.append(f"{item.id}: changed over {turns} times, {rule.conversions} allowed: alternating use")
    return combine([*words, "pass"]), lines


def _forbidden(evidence: Evidence, rule: LineRule, use: Use) -> bool | None:
    answers = [matches(origin, rule.after) for origin in evidence.origins_of_batches[use.batch]]
    return True if any(answers) else None if None in answers else False


def _cleaned(item: Equipment, rule: LineRule, after: int, until: int) -> str:
    """The procedure of the last checked cleaning in between that counts; empty where there is none."""
    wanted = {key_of(name) for name in rule.cleaning}
    found = [
        cleaning.procedure
        for cleaning in item.cleanings
        if after < cleaning.seq < until and cleaning.checked_by and key_of(cleaning.procedure) in wanted
    ]
    return found[-1] if found else ""


def _turns(forbidden: Sequence[bool]) -> int:
    """How often the line went over from something excluded to something else."""
    return sum(before and not after for before, after in pairwise(forbidden))
