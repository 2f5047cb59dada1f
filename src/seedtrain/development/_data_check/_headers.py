"""What the header of a column says: a symbol, a unit, a time, a run."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Final

from seedtrain.quantity import QuantityError, read_unit

WORDS: Final = {
    "X": ("biomass", "cell", "cdw", "x"),
    "DCW": ("dcw", "dry cell weight"), "S": ("glucose", "glc", "substrate", "sugar", "s"),
    "A": ("acetate", "acetic", "a"), "P": ("product", "titre", "titer", "p"),
    "DO_percent": ("do", "po2", "do_percent", "dissolved oxygen", "dot"), "OUR": ("our", "oxygen uptake"),
    "CER": ("cer", "co2 evolution"), "V": ("volume", "vol", "v", "weight"), "F": ("feed", "f", "feed rate"),
    "T": ("temperature", "temp", "t_broth"), "pH": ("ph",), "N": ("stirrer", "rpm", "agitation", "n"),
    "NH": ("ammonium", "ammonia", "nh", "nh4"), "sample_volume": ("sample volume", "sample_volume"),
}  # fmt: skip
TIMES: Final = (
    "time", "t", "hours", "elapsed", "age", "timestamp", "eft", "culture time", "process time", "elapsed time",
    "fermentation time", "elapsed fermentation time", "cultivation time", "run time", "sample time", "sampling time",
    "datetime", "date time", "date", "zeit", "时间",
)  # fmt: skip
RUNS: Final = (
    "run", "batch", "experiment", "run id", "batch id", "run no", "batch no", "run number", "batch number", "lot",
    "fermentation", "cultivation", "reactor", "vessel", "id", "批次",
)  # fmt: skip


def split_header(header: str) -> tuple[str, str]:
    """Name and unit of a header such as `glucose [g/L]`, `OUR (mmol/L/h)` or `titre mg/L`; no unit where it is none."""
    match = re.fullmatch(r"(.*?)\s*[\[(]([^\])]*)[\])]\s*", header) or re.fullmatch(
        r"(.+?)[\s,]+(\S+/\S+|%)\s*", header
    )
    if not match:
        return header.strip(), ""
    unit = match[2].strip().replace("·", "*").replace("°C", "degC")
    try:
        read_unit(unit)
    except QuantityError:
        return match[1].strip(), ""
    return match[1].strip(), unit


def symbol_of(name: str) -> str | None:
    """The symbol that a column's name stands for, or none."""
    plain = name.lower().replace("_", " ").strip()
    for symbol, words in WORDS.items():
        if name == symbol or plain in (word.replace("_", " ") for word in words):
            return symbol
    return next((s for s, words in WORDS.items() if any(len(w) > 3 and w in plain for w in words)), None)


def first_of(header: Sequence[str], words: Sequence[str]) -> str:
    """The first column that one of `words` names, before its unit; empty where none does."""
    plain = {name: re.sub(r"[\s_.-]+", " ", split_header(name)[0].lower()).strip() for name in header}
    return next((name for word in words for name in header if plain[name] == word), "")


def is_number(text: str) -> bool:
    """Whether a cell or a header is a finite number."""
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
