"""What people of quality read: cases with their names, states, who did what and when, and what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from seedtrain.base import translate as _

if TYPE_CHECKING:
    from seedtrain.gmp import Capa, Deviation, Investigation, StabilityResult, Standard, Study, Trend

Names = Callable[[str], str]


def person_words(actor: str, names: Names) -> str:
    """A person by name and identity."""
    name = names(actor)
    return actor if name == actor else f"{name} ({actor})"


def minute(time: str) -> str:
    """A time of the record to the minute, in UTC."""
    return f"{time[:10]} {time[11:16]} UTC"


def deviation_lines(item: Deviation, names: Names) -> Iterator[str]:
    """A deviation: what happened, how far it has come, and what is still missing."""
    from seedtrain.gmp import grade_words, recorded_words

    yield f"{item.name}: {recorded_words(item.words)}"
    opened = _("  {subject}, opened by {person} on {time}")
    yield opened.format(subject=item.subject, person=person_words(item.opened_by, names), time=minute(item.opened_at))
    told = (
        (_("phase"), item.phase),
        (_("concerns too"), ", ".join(item.linked)),
        (_("classification"), grade_words(item.classification)),
        (_("findings"), item.findings),
        (_("cause"), item.cause),
        (_("impact"), item.impact),
        (_("disposition"), grade_words(item.disposition)),
        (_("CAPA"), item.capa or item.no_capa),
    )
    yield from (f"  {name}: {text}" for name, text in told if text)
    closing = item.closing
    if closing is not None and item.closed:
        words = _("  closed by {person} on {time}: {action}")
        who = person_words(closing.actor, names)
        yield words.format(person=who, time=minute(closing.occurred_at), action=closing.action)
        return
    lacks = ", ".join((*(recorded_words(part) for part in item.lacks), _("the closing")))
    yield _("  open, due {day}; it lacks: {lacks}").format(day=item.due, lacks=lacks)


def deviation_line(item: Deviation) -> str:
    """A deviation in one line of a list."""
    from seedtrain.gmp import grade_words, recorded_words

    state = _("closed") if item.closed else _("due {day}").format(day=item.due)
    return f"{item.name:<20} {grade_words(item.classification) or '-':<10} {state:<16} {recorded_words(item.words)}"


def investigation_lines(item: Investigation, names: Names) -> Iterator[str]:
    """The investigation of a result: what was found, the retests by their plan, and the conclusion."""
    from seedtrain.gmp import recorded_words, result_words, state_word

    found = _("{name}: {attribute} {value} ({limit}) of sample {sample}, batch {batch}")
    yield found.format(
        name=item.name,
        attribute=item.attribute,
        value=item.reported,
        limit=item.limit,
        sample=item.sample,
        batch=item.batch,
    )
    yield _("  tested by {person}").format(person=person_words(item.analyst, names))
    if item.assessed_by:
        error = _("an error of the laboratory") if item.assignable else _("no error of the laboratory")
        words = _("  laboratory: {error}: {findings} ({person})")
        yield words.format(error=error, findings=item.laboratory, person=person_words(item.assessed_by, names))
    if item.invalidated_by:
        words = _("  the test was taken as invalid by {person}")
        yield words.format(person=person_words(item.invalidated_by, names))
    if item.findings:
        yield _("  full scale: {findings}; cause: {cause}").format(findings=item.findings, cause=item.cause or "-")
    if item.plan is not None:
        approved = _("approved by {person}").format(person=person_words(item.plan.approved_by, names))
        state = approved if item.plan.approved_by else _("not approved yet")
        yield _("  {count} retests are planned, {state}: {why}").format(
            count=item.plan.retests, state=state, why=item.plan.why
        )
    for retest in item.retests:
        yield f"    {retest.number}: {retest.reported}, {result_words(retest.state)}"
    yield from (f"  ! {recorded_words(fault)}" for fault in item.faults)
    if item.conclusion:
        words = _("  closed by {person}: {conclusion}; {words}")
        who = person_words(item.closed_by, names)
        yield words.format(person=who, conclusion=state_word(item.conclusion), words=item.words)
    else:
        yield _("  open ({phase}), due {day}").format(phase=state_word(item.phase), day=item.due)


def investigation_line(item: Investigation) -> str:
    """An investigation in one line of a list."""
    from seedtrain.gmp import state_word

    state = state_word(item.conclusion) if item.conclusion else _("open, {phase}").format(phase=state_word(item.phase))
    return f"{item.name:<16} {item.attribute:<20} {state}"


def capa_lines(item: Capa, names: Names) -> Iterator[str]:
    """A CAPA with its actions and what was found of its effect."""
    from seedtrain.gmp import capa_words

    yield f"{item.name}: {item.title} ({capa_words(item.state)})"
    opened = _("  opened by {person} on {time}; cause: {cause}")
    who = person_words(item.opened_by, names)
    yield opened.format(person=who, time=minute(item.opened_at), cause=item.cause)
    if item.sources:
        yield _("  follows from: {sources}").format(sources=", ".join(item.sources))
    for action in item.actions:
        state = _("done: {evidence}").format(evidence=action.evidence)
        due = _("due {day}").format(day=action.due)
        kind = action_words(action.kind)
        owner = person_words(action.owner, names)
        yield f"  {action.number} {kind}: {action.words} ({owner}), {state if action.evidence else due}"
    if item.approved_by:
        yield _("  plan approved by {person}").format(person=person_words(item.approved_by, names))
    yield _("  effect judged by {day}: {criterion}").format(day=item.check_due, criterion=item.criterion)
    if item.effective is not None:
        words = _("  {effect} ({person}): {evidence}")
        effect = _("found effective") if item.effective else _("found ineffective")
        yield words.format(effect=effect, person=person_words(item.checked_by, names), evidence=item.effect)
    if item.closed_by:
        yield _("  closed by {person}").format(person=person_words(item.closed_by, names))


def action_words(kind: str) -> str:
    """The kind of an action of a CAPA in the language in use."""
    return {"corrective": _("corrective"), "preventive": _("preventive")}.get(kind, kind)


def standard_words(item: Standard, names: Names) -> str:
    """A version of a specification or method in one line."""
    kind = {"specification": _("specification"), "method": _("method")}[item.kind]
    author = _("draft of {person}").format(person=person_words(item.author, names))
    state = _("approved by {person}").format(person=person_words(item.approver, names)) if item.approver else author
    change = _(", under {change}").format(change=item.change) if item.change else ""
    return f"{kind} {item.name} {item.version}: {state}{change}"


def study_lines(item: Study, day: str = "") -> Iterator[str]:
    """A study with its time points; `day`: today, from which a pull may be overdue."""
    late, done = item.overdue(day) if day else (), {pull.month: pull for pull in item.pulls}
    yield _("{study}: {batch} at {condition} since {day}").format(
        study=item.name, batch=item.batch, condition=item.protocol.condition, day=item.start
    )
    for month in item.protocol.months:
        if month in done:
            state = _("pulled on {day}, sample {sample}").format(day=done[month].pulled, sample=done[month].sample)
            state += "" if done[month].in_window else ", " + _("outside its window")
        else:
            state = _("overdue") if month in late else _("to come")
        yield f"  {month:>3}  {item.due(month)}  {state}"


def tested_line(item: StabilityResult) -> str:
    """A result of a study in one line."""
    from seedtrain.gmp import result_words

    words = _("{sample}, {month} months: {attribute} {value}, {state}")
    return words.format(
        sample=item.sample,
        month=item.month,
        attribute=item.attribute,
        value=item.reported,
        state=result_words(item.state),
    )


def trend_lines(found: Trend) -> Iterator[str]:
    """The trend of an attribute and the shelf life that the data support."""
    from seedtrain.gmp import recorded_words

    life = found.shelf_life
    yield f"{found.protocol}  {found.attribute}  {found.limit}"
    if life is None:
        yield recorded_words(found.why)
    else:
        for line in life.lines:
            yield f"  {line.batch or _('all batches')}: {line.intercept:.4g} {line.slope:+.4g} {_('per month')}"
        months = "-" if life.months is None else f"{life.months:.1f}"
        words = _("the 95 % confidence limit meets the limit at {months} months; the data span {covered:.1f}")
        yield words.format(months=months, covered=life.covered)
        yield _("no longer than {months:.1f} months may be proposed").format(months=life.longest)
    for point in found.strange:
        yield _("out of trend: {batch} at {time:.1f} months, {value}").format(**vars(point))
    for item in found.failing:
        yield _("out of specification: {sample}, {reported}").format(sample=item.sample, reported=item.reported)
