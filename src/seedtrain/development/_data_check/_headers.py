"""What the header of a column says: a symbol, a unit, a time, a run."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Final

from seedtrain.quantity import QuantityError, read_unit

WORDS: Final = {
    "X": ("biomass", "cell", "x", "biomasse", "生物量", "菌体"),
    "DCW": ("dcw", "cdw", "btm", "dry cell weight", "cell dry weight", "biotrockenmasse", "细胞干重", "干重"),
    "S": ("glucose", "glc", "substrate", "sugar", "s", "glukose", "葡萄糖", "残糖"),
    "A": ("acetate", "acetic", "a", "acetat", "essigsäure", "乙酸"),
    "P": ("product", "titre", "titer", "p", "produkt", "产物", "蛋白浓度"),
    "DO_percent": ("do", "po2", "do_percent", "dissolved oxygen", "dot", "溶氧"),
    "OUR": ("our", "oxygen uptake", "摄氧率"), "CER": ("cer", "co2 evolution", "二氧化碳释放"),
    "V": ("volume", "vol", "v", "weight", "füllvolumen", "volumen", "gewicht", "体积"),
    "F": ("feed", "f", "feed rate", "zulauf", "补料"),
    "T": ("temperature", "temp", "t_broth", "temperatur", "温度"), "pH": ("ph", "ph值"),
    "N": ("stirrer", "rpm", "agitation", "n", "rührer", "drehzahl", "转速"),
    "NH": ("ammonium", "ammonia", "nh", "nh4", "氨氮", "铵"),
    "sample_volume": ("sample volume", "sample_volume", "sample vol", "probenvolumen", "取样体积"),
}  # fmt: skip
OPTICAL: Final = re.compile(r"(od|optical density|optische dichte)[ _-]?(\d{3})?( ?nm)?|光密度", re.IGNORECASE)
"""Names of optical density: a factor turns it into biomass, which a person has to give."""
TIMES: Final = (
    "time", "t", "hours", "elapsed", "age", "timestamp", "eft", "culture time", "process time", "elapsed time",
    "fermentation time", "elapsed fermentation time", "cultivation time", "run time", "sample time", "sampling time",
    "datetime", "date time", "date", "zeit", "zeitstempel", "laufzeit", "prozesszeit", "datum", "uhrzeit",
    "时间", "日期", "培养时间", "发酵时间", "取样时间",
)  # fmt: skip
RUNS: Final = (
    "run", "batch", "experiment", "run id", "batch id", "run no", "batch no", "run number", "batch number", "lot",
    "fermentation", "cultivation", "ansatz", "charge", "versuch", "reactor", "vessel", "id", "批次", "批号", "罐批",
)  # fmt: skip

TOLD: Final[Mapping[str, str]] = {
    "scale": "scale", "vessel": "vessel", "feed factor": "feed_factor", "feed_factor": "feed_factor",
    "origin": "origin", "began": "began", "inoculation": "began", "inoculated": "began", "inoculation time": "began",
    "inokulation": "began", "animpfung": "began", "接种时间": "began", "规模": "scale", "maßstab": "scale",
}  # fmt: skip
"""Columns of a table of runs that a mapping has a key for, beside `initial X [g/L]` and `fed S [g/L]`."""


def split_header(header: str) -> tuple[str, str]:
    """Name and unit of a header such as `glucose [g/L]`, `OUR (mmol/L/h)` or `titre mg/L`; no unit where it is none."""
    match = re.fullmatch(r"(.*?)\s*[\[(]([^\])]*)[\])]\s*", header) or re.fullmatch(
        r"(.+?)[\s,]+(\S+/\S+|%)\s*", header
    )
    if not match:
        return header.strip(), ""
    unit = as_unit(match[2])
    return match[1].strip(), unit if is_unit(unit) else ""


def as_unit(text: str) -> str:
    """A unit as it is written here."""
    return text.strip().replace("·", "*").replace("°C", "degC")


def is_unit(text: str) -> bool:
    """Whether a text is a unit."""
    try:
        read_unit(text)
    except QuantityError:
        return False
    return True


def symbol_of(name: str) -> str | None:
    """The symbol that a column's name stands for, or none."""
    plain = name.lower().replace("_", " ").strip()
    inside = (s for s, words in WORDS.items() if any(_telling(w) and w in plain for w in words))
    return known_as(name) or next(inside, None)


def known_as(name: str) -> str | None:
    """The symbol that a whole name is a word for, or none."""
    plain = name.lower().replace("_", " ").strip()
    for symbol, words in WORDS.items():
        if name == symbol or plain in (word.replace("_", " ") for word in words):
            return symbol
    return None


def _telling(word: str) -> bool:
    """Whether a word tells a symbol from inside a longer name: short ones stand in too many others."""
    return len(word) > 3 or not word.isascii()


def first_of(header: Sequence[str], words: Sequence[str]) -> str:
    """The first column that one of `words` names, before its unit; empty where none does."""
    plain = {name: re.sub(r"[\s_./-]+", " ", split_header(name)[0].lower()).strip() for name in header}
    return next((name for word in words for name in header if plain[name] == word), "")


def is_number(text: str) -> bool:
    """Whether a cell or a header is a finite number."""
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
