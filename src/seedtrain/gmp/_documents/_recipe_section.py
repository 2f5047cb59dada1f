"""The recipe as the batch was made with it: the copy that 21 CFR 211.188(a) asks for, checked against its digest."""

from __future__ import annotations

from collections.abc import Iterator

from seedtrain.base import translate as _
from seedtrain.gmp._documents._case import Case, none_or, table
from seedtrain.recipe import MasterRecipe, Phase, holds_alone
from seedtrain.report import Block, Definitions, Heading, Notice, Paragraph


def recipe_section(case: Case) -> Iterator[Block]:
    """Digest, signers, materials, procedure, specification; a fault of the copy is said first."""
    yield Heading(_("Copy of the recipe"))
    header, found = case.record.header, case.approval
    signers = ", ".join(case.name(actor) for actor in found.signers) if found else ""
    recipe = case.recipe
    words = [
        (_("Recipe"), header.recipe),
        (_("Digest of the control recipe"), header.recipe_digest),
        (_("Digest of the master recipe"), header.master_digest),
        (_("Signed by"), signers or _("nobody")),
    ]
    if recipe is not None:
        words.insert(1, (_("Version"), recipe.version))
    yield Definitions(words)
    if recipe is None:
        text = case.copied[1] or _("The text of the recipe is not in the ledger: this copy cannot be made.")
        yield Notice(text, kind="missed")
        return
    if found is None:
        yield Notice(_("Nobody approved this recipe: the batch was a trial and carries its own copy."), kind="warning")
        yield Paragraph(_("The copy was digested anew for this print and gives the digest that the batch pins."))
    else:
        text = _("The text in the ledger was digested anew for this print and gives the digest that was signed.")
        yield Paragraph(text)
    yield from _parts(recipe)


def _parts(recipe: MasterRecipe) -> Iterator[Block]:
    yield Heading(_("Formula"), level=3)
    composition = [
        (name, part, str(amount)) for name, parts in recipe.materials.items() for part, amount in parts.items()
    ]
    yield none_or(composition, lambda: table((_("Material"), _("Constituent"), _("Amount")), composition))
    yield Heading(_("Procedure"), level=3)
    rows = [
        (
            place.path,
            place.unit_procedure.unit or place.unit_procedure.unit_class,
            place.phase.do,
            "; ".join(f"{name}: {value}" for name, value in place.phase.set.items()),
            _ends(place.phase),
            "; ".join(f"{name}: {span}" for name, span in (*place.phase.limits.items(), *place.phase.sample.items())),
            _people(place.phase),
        )
        for place in recipe.phases()
    ]
    heads = (
        _("Phase"),
        _("Unit"),
        _("Kind"),
        _("Settings"),
        _("Ended when"),
        _("Limits"),
        _("Instruction and signatures"),
    )
    yield none_or(rows, lambda: table(heads, rows, widths=(18, 15, 15, 21, 12, 14, 16)))
    if recipe.is_parallel:
        yield Paragraph(_("Unit procedures run beside each other. What each waits for:"))
        order = list(_order(recipe))
        yield table((_("Unit procedure or operation"), _("Begins after"), _("Hold")), order)
    yield Heading(_("Specification"), level=3)
    lines = [(item.attribute, item.method, item.limit.text) for item in recipe.specification.lines]
    yield none_or(lines, lambda: table((_("Attribute"), _("Method"), _("Limit")), lines))


def _order(recipe: MasterRecipe) -> Iterator[tuple[str, str, str]]:
    """What each unit procedure waits for, and each operation that waits for more than the one before it."""
    for procedure in recipe.unit_procedures:
        after = _("all that stands above") if procedure.after is None else ", ".join(procedure.after) or _("nothing")
        alone = holds_alone(recipe, procedure)
        yield procedure.name, after, _("the unit alone") if alone else _("the whole batch")
        for operation in procedure.operations:
            if operation.after:
                yield f"{procedure.name}/{operation.name}", ", ".join(operation.after), ""


def _ends(phase: Phase) -> str:
    parts = [
        str(phase.until) if phase.until else "",
        f"{phase.duration}" if phase.duration else "",
        _("at most {time}").format(time=phase.at_most) if phase.at_most else "",
    ]
    return "; ".join(part for part in parts if part)


def _people(phase: Phase) -> str:
    parts = [
        phase.instruction,
        _("checked by a second person") if phase.second_person else "",
        _("hold point: {words}").format(words=phase.hold_point) if phase.hold_point else "",
    ]
    return " ".join(part for part in parts if part)
