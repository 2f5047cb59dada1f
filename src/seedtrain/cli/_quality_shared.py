"""What the commands of `seedtrain quality` share: signing, printing, and results as people write them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from seedtrain.base import EXIT_DONE, InputError
from seedtrain.cli._common import Common, print_json
from seedtrain.cli._signing import RecordUrl, Signer, open_record, signing

if TYPE_CHECKING:
    from seedtrain.gmp import TestContext
    from seedtrain.quality import Result, SpecificationLine
    from seedtrain.record import Ledger


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
    act: Callable[[Ledger, str], Any],
    *,
    code: Callable[[Any], int] = lambda _: EXIT_DONE,
    tell: Callable[[Any], list[str]] | None = None,
) -> int:
    """Unlock the signer, act, print what came of it (`tell` says how, for people), and end with `code` of that."""
    from seedtrain.base import use_language

    options = common or Common()
    with use_language(options.lang), open_record(record) as ledger, signing(ledger, signer) as actor:
        said = plain(act(ledger, actor))
    if options.json:
        print_json(said)
    else:
        with use_language(options.lang):
            print(*(tell or lines_of)(said), sep="\n")
    return code(said)


def plain(value: Any) -> Any:
    """Data of JSON from frozen dataclasses and models."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in dataclasses.fields(value)} | _told(value)
    if hasattr(value, "model_dump"):
        return plain({name: getattr(value, name) for name in type(value).model_fields})
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        rows = [plain(item) for item in value]
        return sorted(rows) if isinstance(value, (set, frozenset)) else rows
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)


def _told(value: Any) -> dict[str, Any]:
    """What a case says of itself beside its fields."""
    return {name: plain(getattr(value, name)) for name in ("state", "closed", "lacks", "phase") if hasattr(value, name)}


def lines_of(said: Any) -> list[str]:
    """`name: value`, one a line, without what is empty."""
    if isinstance(said, list):
        return [_short(item) for item in said]
    if not isinstance(said, Mapping):
        return [str(said)]
    return [f"{name}: {_short(value)}" for name, value in said.items() if value not in (None, "", [], {})]


def _short(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_short(item) for item in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_short(item)}" for name, item in value.items() if item not in (None, "", [], {}))
    return str(value)


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
