"""The price of a plant's equipment from one year to another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from seedtrain.base import InputError

NAME: Final = "Chemical Engineering Plant Cost Index (CEPCI)"
SOURCE: Final = (
    "Chemical Engineering (magazine), Plant Cost Index, annual means; to 2021 rounded as the open BioSTEAM library "
    "tabulates them, 2022 and 2023 as the magazine gave them; not compared with the magazine by a second person"
)
CEPCI: Final[Mapping[int, float]] = {
    1990: 358, 1991: 361, 1992: 358, 1993: 359, 1994: 368, 1995: 381, 1996: 382, 1997: 387, 1998: 390, 1999: 391,
    2000: 394, 2001: 394, 2002: 396, 2003: 402, 2004: 444, 2005: 468, 2006: 500, 2007: 525, 2008: 575, 2009: 522,
    2010: 551, 2011: 586, 2012: 585, 2013: 567, 2014: 576, 2015: 557, 2016: 542, 2017: 568, 2018: 603, 2019: 608,
    2020: 596, 2021: 708, 2022: 816, 2023: 797.9,
}  # fmt: skip


@dataclass(frozen=True)
class Restated:
    """A price of another year: `factor` times, with the words that say how."""

    factor: float
    words: str


def restated(year: int, to: int) -> Restated:
    """How a price of equipment of `year` is told in the money of `to`; beyond the index its last year stands for it."""
    first, last = min(CEPCI), max(CEPCI)
    if not first <= year <= last:
        raise InputError(
            f"there is no plant cost index of {year}",
            remedy=f"Give a price of {first} to {last}, or restate it yourself and leave price_year out.",
        )
    end = min(to, last)
    words = f"restated with the CEPCI from {year} ({CEPCI[year]:g}) to {end} ({CEPCI[end]:g})"
    return Restated(CEPCI[end] / CEPCI[year], words + (f", the newest there is, for {to}" if end < to else ""))
