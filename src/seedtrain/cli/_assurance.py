"""`seedtrain assurance`: rule sets, certificates and the evidence for them. It states evidence and rules on nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from seedtrain.base import EXIT_DONE, InputError
from seedtrain.base import translate as _
from seedtrain.cli import _assurance_certificates as certificates
from seedtrain.cli._acted import acted, exit_code, shown
from seedtrain.cli._assurance_certificates import order_data, order_lines
from seedtrain.cli._common import Common, print_json
from seedtrain.cli._signing import RecordUrl, Signer

if TYPE_CHECKING:
    from seedtrain.gmp import AssuranceRecorded
    from seedtrain.quality import Verdict
    from seedtrain.record import Event, Ledger

app = App(name="assurance", help="Rule sets on what is inside: evidence, certificates, lines, critical points.")
app.command(certificates.app)


@app.command
def declare(file: Path, *, signer: Signer, record: RecordUrl = None, common: Common | None = None) -> int:
    """Record a supplier's declaration of what is inside a material, at any depth.

    Example: seedtrain assurance declare capsule.yaml --as person-1

    Parameters
    ----------
    file
        YAML: material, supplier, contains; docs/how-to/assurance.md shows one.
    """
    from seedtrain.gmp import declare_composition

    def tell(events: tuple[Event, ...]) -> list[str]:
        words = _("{file}: the declaration is recorded") if events else _("{file}: declared like this before")
        return [words.format(file=file)]

    return acted(
        *(signer, record, common),
        lambda ledger, actor: declare_composition(ledger, file, actor),
        tell,
        data=lambda events: {"file": str(file), "recorded": bool(events)},
    )


@app.command
def point(
    lot: str,
    point: str,
    result: Literal["pass", "fail"],
    *,
    basis: Annotated[str, Parameter(help="The document or observation that the check rests on.")],
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Record the check of a critical point of a lot; one that fails puts everything downstream on hold.

    Example: seedtrain assurance point G-1 slaughter pass --basis "certificate C-17, plant 42" --as person-1

    Parameters
    ----------
    lot
        The lot.
    point
        The critical point, as the rule set names it.
    result
        pass or fail.
    """
    from seedtrain.gmp import check_point

    return _recorded(
        *(signer, record, common),
        lambda ledger, actor: check_point(ledger, lot, point, result, basis, actor),
    )


@app.command
def species(
    lot: str,
    verdict: Path,
    *,
    target: str = "porcine",
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Record a test for a species; one that fails puts everything downstream on hold.

    Example: seedtrain assurance species G-1 verdict.json --as person-1

    Parameters
    ----------
    lot
        The lot that was tested.
    verdict
        What `seedtrain verify species TABLE --json` printed.
    target
        The species that was looked for.
    """
    from seedtrain.gmp import record_species_test

    found = _verdict(verdict, "Give what `seedtrain verify species TABLE --json` printed.")
    return _recorded(
        *(signer, record, common),
        lambda ledger, actor: record_species_test(ledger, lot, found, target, actor),
    )


@app.command
def panel(lot: str, verdict: Path, *, signer: Signer, record: RecordUrl = None, common: Common | None = None) -> int:
    """Record the verdict of a release panel on a lot or batch; one that does not pass keeps it from its release.

    Example: seedtrain assurance panel B-1 verdict.json --as person-1

    Parameters
    ----------
    lot
        The lot or batch that was judged.
    verdict
        What `seedtrain verify panel PANEL RESULTS --lot LOT --json` printed.
    """
    from seedtrain.gmp import record_panel_verdict

    found = _verdict(verdict, "Give what `seedtrain verify panel PANEL RESULTS --lot LOT --json` printed.")
    return _recorded(*(signer, record, common), lambda ledger, actor: record_panel_verdict(ledger, lot, found, actor))


def _verdict(path: Path, remedy: str) -> Verdict:
    """A verdict out of a file that a command of `verify` printed."""
    import json

    from seedtrain.base import Position, read_text
    from seedtrain.gmp import read_verdict

    try:
        document = json.loads(read_text(path, what="verdict"))
    except RecursionError:
        raise InputError("this is nested too deeply", position=Position(str(path))) from None
    except json.JSONDecodeError as error:
        where = Position(str(path), error.lineno, error.colno)
        raise InputError(f"this is not JSON: {error.msg}", position=where, remedy=remedy) from None
    return read_verdict(document, str(path))


@app.command
def require(
    recipe: str,
    rules: str,
    *,
    end: Annotated[bool, Parameter(negative="", help="From now on no longer.")] = False,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Let every batch of a recipe take only lots that meet a rule set, as far as it speaks of lots before their use.

    Example: seedtrain assurance require collagen sjph --as person-1

    Parameters
    ----------
    recipe
        The recipe's name.
    rules
        A rule set's name or file.
    """
    from seedtrain.gmp import read_rules, require_rules

    found = read_rules(rules)

    def tell(_events: object) -> list[str]:
        if end:
            return [_("{recipe} no longer has to meet {rules}").format(recipe=recipe, rules=found.name)]
        words = _("from now on {recipe} has to meet {rules} ({edition}), digest {digest}")
        return [words.format(recipe=recipe, rules=found.name, edition=found.edition, digest=found.digest[:16])]

    return acted(
        *(signer, record, common),
        lambda ledger, actor: require_rules(ledger, recipe, found, actor, ended=end),
        tell,
        data=lambda _events: {"recipe": recipe, "rules": found.name, "digest": found.digest, "ended": end},
    )


@app.command
def judge(
    lot: str,
    *,
    rules: Annotated[str, Parameter(help="A rule set's name or file.")],
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Say for each rule of a set which evidence the ledger holds about a lot.

    Example: seedtrain assurance judge B-7 --rules sjph --record record.db

    Parameters
    ----------
    lot
        The lot or batch.
    """
    from seedtrain.gmp import judge_rules, read_rules
    from seedtrain.quality import Verdict

    found = read_rules(rules)
    return shown(
        *(record, common),
        lambda ledger: judge_rules(ledger, lot, found),
        lambda verdict: _verdict_lines(lot, found.name, verdict),
        data=Verdict.to_data,
        code=exit_code,
    )


@app.command(name="rules")
def show_rules(name: str | None = None, *, common: Common | None = None) -> int:
    """The rule sets that come along, or the rules of one: what each asks for, its source, and how far that was read.

    Example: seedtrain assurance rules sjph

    Parameters
    ----------
    name
        A rule set's name or file; all names if not given.
    """
    from seedtrain.base import use_language
    from seedtrain.gmp import RULE_SETS, read_rules

    options = common or Common()
    sets = [read_rules(item) for item in ([name] if name else RULE_SETS)]
    if options.json:
        print_json([item.to_data() | {"digest": item.digest} for item in sets])
        return EXIT_DONE
    with use_language(options.lang):
        for item in sets:
            print(f"{item.name:<14} {item.edition:<22} {item.title}")
            for rule in item.rules if name else ():
                print(f"  {rule.id}: {rule.says}")
                print(f"    {rule.source}; {_checked_words(rule.checked)}")
    return EXIT_DONE


def _checked_words(checked: str) -> str:
    return {
        "text": _("the clause was read"),
        "summary": _("read in a summary"),
        "no": _("not checked against the text"),
    }[checked]


def _verdict_lines(lot: str, name: str, verdict: Verdict) -> Iterator[str]:
    from seedtrain.gmp import recorded_words
    from seedtrain.quality import verdict_words

    head = _("{lot}: evidence for the rules of {name}").format(lot=lot, name=name)
    yield f"{head}: {verdict_words(verdict.verdict)}"
    for item in verdict.criteria:
        yield f"  {verdict_words(item.verdict):<12} {item.name}: {item.value}"
    yield from (f"    {recorded_words(line)}" for line in verdict.evidence)
    yield _("This says which evidence is on record. It is no certificate and no ruling.")


def _recorded(
    signer: Signer, record: str | None, common: Common | None, act: Callable[[Ledger, str], AssuranceRecorded]
) -> int:
    def data(found: AssuranceRecorded) -> dict[str, Any]:
        order = None if found.order is None else order_data(found.order)
        return {"event": found.event.id, "lot": found.event.subject, "order": order}

    def tell(found: AssuranceRecorded) -> Iterator[str]:
        yield _("recorded for {lot}").format(lot=found.event.subject)
        if found.order is not None:
            yield from order_lines(found.order)

    return acted(signer, record, common, act, tell, data=data)
