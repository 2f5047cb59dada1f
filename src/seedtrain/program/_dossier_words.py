"""Numbers and words as the dossier prints them, in the language in use."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal

from seedtrain.base import language
from seedtrain.base import translate as _
from seedtrain.quality import origin_words
from seedtrain.quantity import number_text
from seedtrain.report import State

THIN: Final = "\u202f"
"""A narrow space that does not break: between groups of digits."""
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z")
_DECIMAL: Final = re.compile(r"-?\d+\.\d+(?:[eE][-+]?\d+)?")
DIGITS: Final = 4
"""Of a recorded number in print."""
STATES: Final[Mapping[str, State]] = {"pass": "met", "fail": "missed", "inconclusive": "unknown"}
NoticeKind = Literal["info", "warning", "missed", "met"]
NOTICES: Final[Mapping[State, NoticeKind]] = {"met": "met", "missed": "missed", "unknown": "warning"}
SIGNS: Final = {">=": "≥", "<=": "≤"}


def number(value: float | None, digits: int = 3) -> str:
    """`value` to so many significant digits; a dash for none, powers of ten for what is very large or small."""
    if value is None or not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if not -4 <= size < 7:
        mantissa, power = f"{value:.{digits - 1}e}".split("e")
        return f"{mantissa}×10^{int(power)}".replace("-", "−")
    rounded = round(value, digits - 1 - size)
    decimals = max(digits - 1 - math.floor(math.log10(abs(rounded))), 0) if rounded else 0
    return f"{rounded:,.{decimals}f}".replace(",", THIN).replace("-", "−")


def amount(value: float | None, unit: str = "", digits: int = 3) -> str:
    """A number with its unit."""
    return f"{number(value, digits)} {unit}".rstrip()


def exact(value: float, unit: str = "") -> str:
    """A number as somebody wrote it, with its unit."""
    text = number_text(value)
    whole, point, rest = text.partition(".")
    shown = f"{int(whole):,}".replace(",", THIN) + point + rest if whole.isdigit() else text
    return f"{shown} {unit}".rstrip()


def percent(fraction: float | None, digits: int = 3) -> str:
    """A fraction as a percentage."""
    return "–" if fraction is None or not math.isfinite(fraction) else f"{number(100.0 * fraction, digits)} %"


def change(fraction: float, digits: int = 3) -> str:
    """A relative change as a signed percentage."""
    return f"{'+' if fraction > 0 else ''}{percent(fraction, digits)}"


def span(low: float | None, high: float | None) -> str:
    """An interval; nothing where it has no ends."""
    return "" if low is None or high is None else f"{number(low)} .. {number(high)}"


def sentences(parts: Iterable[str]) -> str:
    """Sentences one after the other."""
    return ("" if language() == "zh" else " ").join(part for part in parts if part)


def listed(names: Iterable[str]) -> str:
    """Names in a row."""
    return ("、" if language() == "zh" else ", ").join(names)


def plain_time(text: str) -> str:
    """`text` with its times to the second, for people."""
    return _TIME.sub(r"\1 \2", text)


def rounded(text: str, digits: int = DIGITS) -> str:
    """`text` with each long decimal in it to `digits` significant digits."""

    def short(found: re.Match[str]) -> str:
        figures = found[0].split("e")[0].split("E")[0].replace("-", "").replace(".", "").lstrip("0")
        return number(float(found[0]), digits) if len(figures) > digits else found[0]

    return _DECIMAL.sub(short, text)


def attribute_words(name: str) -> str:
    """An attribute of a need or of a certificate."""
    return _looked_up(_ATTRIBUTES, name)


def group_words(name: str) -> str:
    """A group of levers."""
    return _looked_up(_GROUPS, name)


def status_words(name: str) -> str:
    """Where a number comes from: sourced, fitted, derived, assumed or given."""
    return _looked_up(_STATUS, name)


def state_word(name: str) -> str:
    """The state of a criterion."""
    return {"met": _("met"), "missed": _("missed"), "unknown": _("unknown")}[name]


def balance_words(name: str) -> str:
    """A conserved amount."""
    return _looked_up(_BALANCES, name)


def stage_words(name: str) -> str:
    """A stage of the program."""
    return _looked_up(_STAGES, name)


def priority_words(name: str) -> str:
    """Must or want."""
    return {"must": _("must"), "want": _("want")}.get(name, name)


def need_words(row: Mapping[str, Any], value: str) -> str:
    """What a criterion asks for; `value` is the need's own word where the criterion has no unit."""
    if row["limit"] is None:
        return _("nothing of {origin}").format(origin=origin_words(value))
    return f"{SIGNS.get(row['operator'], row['operator'])} {exact(row['limit'], row['unit'])}"


def lever_words(lever: Mapping[str, Any]) -> str:
    """A lever: a vessel's field in words, a phase with its parameter, a symbol of the culture."""
    name = str(lever["name"])
    if lever["group"] == "vessel":
        return _looked_up(_FIELDS, name)
    mark = ":" if ":" in name else "."
    path, found, parameter = name.rpartition(mark)
    return f"{path}: {parameter.replace('_', ' ')}" if found else name


def lever_label(lever: Mapping[str, Any]) -> str:
    """A lever for a plot: its group, and of a path the last part alone."""
    words = lever_words(lever)
    path, found, parameter = words.rpartition(": ")
    short = f"{path.rpartition('/')[2]}, {parameter}" if found else words
    return _("{what}: {state}").format(what=group_words(lever["group"]), state=short)


def move_words(per: str, amount_moved: float, unit: str) -> str:
    """A move of a lever: relative where its step `per` is in percent, else in the lever's unit."""
    if per.endswith("%"):
        return change(amount_moved)
    shown = "K" if unit == "degC" else unit
    return f"{'+' if amount_moved > 0 else ''}{amount(amount_moved, shown)}"


def _looked_up(table: Mapping[str, Callable[[], str]], name: str) -> str:
    found = table.get(name)
    return found() if found else name.replace("_", " ")


_ATTRIBUTES: Final[Mapping[str, Callable[[], str]]] = {
    "titre": lambda: _("Titre at harvest"),
    "purity": lambda: _("Purity"),
    "endotoxin": lambda: _("Endotoxin"),
    "host_protein": lambda: _("Host-cell protein"),
    "dna": lambda: _("Host-cell DNA"),
    "cost": lambda: _("Cost of goods"),
    "carbon": lambda: _("Carbon footprint"),
    "amount": lambda: _("Amount a year"),
    "animal_origin": lambda: _("Animal origin"),
    "identity": lambda: _("Identity"),
    "content": lambda: _("Content"),
    "detergent": lambda: _("Residual detergent"),
    "iptg": lambda: _("Residual inducer (IPTG)"),
    "residual_moisture": lambda: _("Residual moisture"),
    "bioburden": lambda: _("Bioburden"),
}
_GROUPS: Final[Mapping[str, Callable[[], str]]] = {
    "gene": lambda: _("gene"),
    "culture": lambda: _("culture"),
    "recipe": lambda: _("recipe"),
    "vessel": lambda: _("vessel"),
    "downstream": lambda: _("downstream"),
}
_STATUS: Final[Mapping[str, Callable[[], str]]] = {
    "sourced": lambda: _("sourced"),
    "fitted": lambda: _("fitted"),
    "derived": lambda: _("derived"),
    "assumed": lambda: _("assumed"),
    "given": lambda: _("given by the user"),
}
_FIELDS: Final[Mapping[str, Callable[[], str]]] = {
    "motor_power": lambda: _("motor power"),
    "cooling_area": lambda: _("cooling area"),
    "heat_transfer_coefficient": lambda: _("heat transfer coefficient"),
    "diameter": lambda: _("vessel diameter"),
    "impeller_diameter": lambda: _("impeller diameter"),
    "coolant_temperature": lambda: _("coolant temperature"),
    "stirrer_speed": lambda: _("highest stirrer speed"),
    "head_pressure": lambda: _("highest head pressure"),
}
_BALANCES: Final[Mapping[str, Callable[[], str]]] = {
    "carbon": lambda: _("carbon"),
    "nitrogen": lambda: _("nitrogen"),
    "mass": lambda: _("mass"),
    "oxygen": lambda: _("oxygen gas"),
    "electrons": lambda: _("electrons"),
    "volume": lambda: _("volume"),
    "inducer": lambda: _("inducer"),
    "product": lambda: _("product"),
}
_STAGES: Final[Mapping[str, Callable[[], str]]] = {
    "gene": lambda: _("gene"),
    "verify": lambda: _("verify"),
    "strain": lambda: _("strain"),
    "campaign": lambda: _("campaign"),
    "before": lambda: _("before the data"),
    "fit": lambda: _("fit"),
    "choose": lambda: _("choice"),
    "bench": lambda: _("bench"),
    "scale": lambda: _("scale-up"),
    "batch": lambda: _("batch"),
    "economics": lambda: _("economics"),
    "compare": lambda: _("comparison"),
    "gap": lambda: _("gap"),
}
