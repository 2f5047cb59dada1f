"""What the commands of `seedtrain quality` share: signing, printing, and results as people write them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from cyclopts import Parameter

from seedtrain.base import EXIT_DONE, EXIT_FAIL, EXIT_INCONCLUSIVE, InputError
from seedtrain.base import translate as _
from seedtrain.cli._acted import acted, plain, shown
from seedtrain.cli._common import Common
from seedtrain.cli._quality_words import Names
from seedtrain.cli._signing import RecordUrl, Signer

if TYPE_CHECKING:
    from seedtrain.gmp import TestContext
    from seedtrain.quality import Result, SpecificationLine
    from seedtrain.record import Ledger

Found = TypeVar("Found")


@Parameter(name="*")
@dataclass(frozen=True)
class Tested:
    """Options of a test: how it was made."""

    method_version: Annotated[str, Parameter(help="Version of the method; by default the effective one.")] = ""
    instrument: Annotated[str, Parameter(help="Which instrument; its calibration is looked up.")] = ""
    suitability: Annotated[str, Parameter(help="What the system suitability test gave.")] = ""
    unsuitable: Annotated[bool, Parameter(negative="", help="It failed: the result is invalid.")] = False

    def context(self) -> TestContext | None:
        """As the record takes it; None where nothing was said."""
        from seedtrain.gmp import TestContext

        if self == Tested():
            return None
        return TestContext(self.method_version, self.instrument, not self.unsuitable, self.suitability)


def signed(
    signer: Signer,
    record: RecordUrl,
    common: Common | None,
    act: Callable[[Ledger, str], Found],
    tell: Callable[[Found, Names], Iterable[str]],
    *,
    code: Callable[[Found], int] = lambda _found: EXIT_DONE,
) -> int:
    """As `acted`, where people are told of by name."""
    from seedtrain.gmp import names_of

    def with_names(ledger: Ledger, actor: str) -> tuple[Found, Names]:
        return act(ledger, actor), names_of(ledger)

    return acted(
        *(signer, record, common, with_names),
        lambda pair: tell(*pair),
        data=lambda pair: plain(pair[0]),
        code=lambda pair: code(pair[0]),
    )


def listed(
    record: RecordUrl,
    common: Common | None,
    read: Callable[[Ledger], Found],
    tell: Callable[[Found, Names], Iterable[str]],
    *,
    data: Callable[[Found], Any] = plain,
    code: Callable[[Found], int] = lambda _found: EXIT_DONE,
) -> int:
    """As `shown`, where people are told of by name."""
    from seedtrain.gmp import names_of

    return shown(
        *(record, common, lambda ledger: (read(ledger), names_of(ledger))),
        lambda pair: tell(*pair),
        data=lambda pair: data(pair[0]),
        code=lambda pair: code(pair[0]),
    )


def state_code(said: Mapping[str, Any]) -> int:
    """The exit code of a result: 0 conforms and no investigation is open, 1 out of specification, 3 otherwise."""
    if said["state"] == "conforms" and not said.get("open"):
        return EXIT_DONE
    return EXIT_FAIL if said["state"] == "oos" else EXIT_INCONCLUSIVE


def result_lines(said: Mapping[str, Any], _names: Names) -> Iterator[str]:
    """A result as it was recorded, and the investigations that it opened."""
    from seedtrain.gmp import result_words

    found = f"{said['sample']}  {said['attribute']} {said['reported']} ({said['limit']}), {said['method']}"
    yield f"{found}: {result_words(str(said['state']))}"
    for name in said.get("investigations", ()):
        yield _("an investigation is open: {name}").format(name=name)


def spoken_result(line: SpecificationLine, attribute: str, value: str, sample: str, method: str) -> Result:
    """A result as it was typed: a number with its unit, a word, or `< 0.05 EU/mg` where nothing was detected."""
    from seedtrain.quality import Result
    from seedtrain.quantity import QuantityError, parse

    text = value.strip()
    detected = not text.startswith("<")
    if line.limit.range is None:
        if not text or not detected:
            raise InputError(f"{attribute} wants a word: the limit is {line.limit.text}", remedy="Give what was found.")
        return Result(attribute, text, method or line.method, sample)
    try:
        number = parse(text.removeprefix("<").strip())
        number.magnitude(line.limit.unit)
    except QuantityError as error:
        raise InputError(f"{attribute} {value!r}: {error.message}", remedy=error.remedy) from error
    return Result(attribute, number, method or line.method, sample, detected=detected)


def specification_of(ledger: Any, batch: str, recipe: Path | None) -> Any:
    """The specification of a batch's own recipe."""
    from seedtrain.gmp import approval, batch_record

    header = batch_record(ledger.events(subject=batch), batch).header
    if recipe is not None:
        from seedtrain.recipe import read_recipe

        master = read_recipe(recipe)
        if master.digest != header.master_digest:
            raise InputError(f"{recipe} is not the recipe of {batch}", remedy="Give the recipe that it was made with.")
        return master.specification
    found = approval(ledger, header.recipe_digest)
    if found is None or found.recipe is None:
        raise InputError(f"the ledger has no text of the recipe of {batch}", remedy="Give --recipe FILE.")
    return found.recipe.specification
