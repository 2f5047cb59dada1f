"""What a culture tells of columns: the names of its species, and what turns amounts of them into g/L."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from seedtrain.development._data_check._headers import WORDS, words_of
from seedtrain.quantity import convert, same_dimension
from seedtrain.simulation import Culture


def culture_words(culture: Culture | None) -> Mapping[str, Sequence[str]]:
    """What columns are called, by symbol: of the culture's species, or of any culture."""
    if culture is None:
        return WORDS
    return words_of({symbol: item.known_as or symbol for symbol, item in culture.species.items()})


def molar_factor(culture: Culture | None, symbol: str, unit: str) -> float | None:
    """What turns readings of a species in `unit` (an amount in a volume) into g/L, by its formula, or None.

    Cells and what is in them have no formula that an assay counts by.
    """
    species = culture.species.get(symbol) if culture else None
    if culture is None or species is None or species.intracellular or species.unit != "g/L":
        return None
    carbon = culture.compositions[symbol].elements["C"]
    if carbon <= 0 or not same_dimension(unit, "mmol/L"):
        return None
    molar = culture.formulas[symbol]["C"] / carbon  # g/mol
    return convert(molar / 1000, unit, "mmol/L")
