"""`seedtrain fit --between`: which parameters differ from run to run, and by how much where that is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedtrain.base import InputError
from seedtrain.cli._measured import words

if TYPE_CHECKING:
    from seedtrain.cli._measured import Measured
    from seedtrain.development import Between


def between_asked(text: str, measured: Measured) -> Between | None:
    """`auto`, `none`, or names with commas, each alone or with its standard deviation: K_S, q_S_max=2 %, Y_em=0.01."""
    if text in ("auto", "none"):
        return "auto" if text == "auto" else None
    found: dict[str, float | None] = {}
    for item in words(text):
        name, equals, given = (part.strip() for part in item.partition("="))
        if not name or (equals and not given) or name in found:
            raise InputError(f"--between {text}", remedy="Write auto, none, or names: q_S_max,Y_em or Y_em=2 %.")
        found[name] = _deviation(name, given, measured) if equals else None
    if not found:
        raise InputError("--between names nothing", remedy="Write auto, none, or names: q_S_max,Y_em.")
    return found


def _deviation(name: str, given: str, measured: Measured) -> float:
    """A standard deviation in the parameter's unit; a percentage is of the culture's own value."""
    from seedtrain.quantity import QuantityError, parse

    about = measured.culture.parameters.get(name)
    if about is None:
        raise InputError(f"--between {name}: the culture has no such parameter",
                         remedy=f"Use some of: {', '.join(measured.fit)}.")  # fmt: skip
    try:
        if given.endswith("%"):
            return abs(about.value) * parse(given, like="").magnitude("")
        return parse(given, like=about.unit).magnitude(about.unit)
    except QuantityError as error:
        raise InputError(f"--between {name}={given}: {error.message}", remedy=error.remedy) from None
