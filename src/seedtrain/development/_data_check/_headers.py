"""What the header of a column says: a symbol, a unit, a time, a run."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Final

from seedtrain.quantity import QuantityError, read_unit

WORDS: Final = {
    "X": ("biomass", "cell", "x", "biomasse", "生物量", "菌体"),
    "DCW": (
        "dcw", "cdw", "btm", "dry cell weight", "cell dry weight", "dry weight", "dry mass", "biotrockenmasse",
        "trockenmasse", "细胞干重", "干重",
    ),
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
MEANT: Final = {"X": "biomass", "S": "glucose", "A": "acetate", "P": "product"}
"""What the words of a symbol mean, where a culture may hold another species by that letter."""
SYNONYMS: Final[Mapping[str, Sequence[str]]] = {
    **{MEANT[symbol]: WORDS[symbol] for symbol in MEANT},
    "product": (*WORDS["P"], "antibody", "mab", "igg", "antikörper", "抗体"),
    "lactate": ("lac", "lactic", "laktat", "milchsäure", "乳酸"), "glutamine": ("gln", "glutamin", "谷氨酰胺"),
    "alanine": ("ala", "alanin", "丙氨酸"), "ammonia": ("ammonium", "nh4", "amm", "铵", "氨"),
    "ethanol": ("etoh", "乙醇"), "methanol": ("meoh", "甲醇"), "glycerol": ("glycerin", "甘油"),
}  # fmt: skip
"""Further words for a culture's species, by the name it is known as."""
STANDARD: Final = frozenset(word for words in WORDS.values() for word in words)
"""Words that may stand within longer ones (`Restglukose`); others stand by themselves: methanol is no ethanol."""
LONG_UNITS: Final[Mapping[str, str]] = {
    long: short
    for short, words in {
        "h": "hour hours hr hrs std std. stunde stunden 小时", "min": "minute minutes mins minuten 分钟 分",
        "s": "sec secs second seconds sekunden 秒", "d": "day days tag tage 天 日",
    }.items() for long in words.split()
}  # fmt: skip
"""Units of time as tables write them."""
SHORT_UNITS: Final = ("mL", "ml", "mM", "uM", "µM", "degC", "rpm", "%")
"""Units that may follow a name after `_` and are no run's or sample's name."""
OPTICAL: Final = re.compile(r"(od|optical density|optische dichte)[ _-]?(\d{3})?( ?nm)?|光密度", re.IGNORECASE)
"""Names of optical density: a factor turns it into biomass, which a person has to give."""
CELLS: Final = re.compile(
    r"vcd|vcc|viable cells?( (density|concentration|count))?|lebendzellzahl|活细胞密度", re.IGNORECASE
)
"""Names of cells in a volume: their dry mass, which a person has to give, turns them into biomass."""
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
    """Name and unit of a header; no unit where it is none.

    `glucose [g/L]`, `OUR (mmol/L/h)`, `titre mg/L`, `DCW / g L-1` (ISO 80000-1), `Time, h`, `Time_min`, `Biomass_g_L`.
    """
    bracket = re.fullmatch(r"(.*?)\s*[\[(（【]([^\])）】]*)[\])）】]\s*", header)
    for form in () if bracket else (r"(.+?)\s+/\s*(\S.*)", r"(.+?)/\s+(\S.*)", r"(.+?),\s*(\S.*)"):
        parted = re.fullmatch(form, header.strip())
        if parted and is_unit(as_unit(parted[2])):
            return parted[1].strip(), as_unit(parted[2])
    match = bracket or re.fullmatch(r"(.+?)[\s,]+(\S+/\S+|%)\s*", header)
    if not match:
        return _joined(header.strip())
    unit = as_unit(match[2])
    return match[1].strip(), unit if is_unit(unit) else ""


def _joined(header: str) -> tuple[str, str]:
    """Name and unit of `Time_min`, `Time h` or `Biomass_g_L`: a name that is known, and what follows it.

    One letter is the unit of a time alone: `K_s` and `glucose_m2` are names.
    """
    if known_as(header):
        return header, ""
    for at in [place for place, letter in enumerate(header) if letter in "_ "]:
        name, rest = header[:at], header[at + 1 :]
        unit = as_unit(rest.replace("_per_", "/").replace("_", "/"))
        timed = _spaced(name) in TIMES and unit in ("h", "min", "s", "d")
        told = header[at] == "_" and ("/" in unit or unit in SHORT_UNITS)
        if timed or (told and symbol_of(name) and is_unit(unit)):
            return name, unit
    return header, ""


def as_unit(text: str) -> str:
    """A unit as it is written here."""
    plain = text.strip().replace("·", "*").replace("°C", "degC")
    return LONG_UNITS.get(plain.lower(), plain)


def is_unit(text: str) -> bool:
    """Whether a text is a unit."""
    try:
        read_unit(text)
    except QuantityError:
        return False
    return True


def words_of(species: Mapping[str, str]) -> Mapping[str, Sequence[str]]:
    """The words for each symbol where a culture has `species`, by symbol what each is known as.

    Its own species go before what their letters mean elsewhere: `A` is ammonia in one culture, acetate in others.
    """
    own = {symbol: (known.lower().replace("_", " "), *SYNONYMS.get(known.lower(), ()))
           for symbol, known in species.items()}  # fmt: skip
    taken = {word for words in own.values() for word in words}
    rest = {symbol: [word for word in words if word not in taken] for symbol, words in WORDS.items()
            if symbol not in species}  # fmt: skip
    return own | rest


def symbol_of(name: str, words: Mapping[str, Sequence[str]] = WORDS) -> str | None:
    """The symbol that a column's name stands for, or none."""
    plain = name.lower().replace("_", " ").strip()
    inside = (symbol for symbol, known in words.items() if any(_within(word, plain) for word in known))
    return known_as(name, words) or next(inside, None)


def known_as(name: str, words: Mapping[str, Sequence[str]] = WORDS) -> str | None:
    """The symbol that a whole name is a word for, or none."""
    plain = name.lower().replace("_", " ").strip()
    for symbol, known in words.items():
        if name == symbol or plain in (word.replace("_", " ") for word in known):
            return symbol
    return None


def _within(word: str, name: str) -> bool:
    """Whether a word tells a symbol from inside a longer name: short ones stand in too many others."""
    if len(word) <= 3 and word.isascii():
        return False
    if word in STANDARD or not word.isascii():
        return word in name
    return bool(re.search(rf"(?<![a-z]){re.escape(word)}(?![a-z])", name))


def first_of(header: Sequence[str], words: Sequence[str]) -> str:
    """The first column that one of `words` names, before its unit; empty where none does."""
    plain = {name: _spaced(split_header(name)[0]) for name in header}
    return next((name for word in words for name in header if plain[name] == word), "")


def _spaced(name: str) -> str:
    return re.sub(r"[\s_./-]+", " ", name.lower()).strip()


def is_number(text: str) -> bool:
    """Whether a cell or a header is a finite number."""
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
