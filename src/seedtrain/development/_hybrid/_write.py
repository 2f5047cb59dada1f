"""A hybrid culture as a culture file: the learned rate in its place, its weights as parameters, its trained ranges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seedtrain.base import InputError, parse_document
from seedtrain.development._hybrid._form import still_read
from seedtrain.development._hybrid._learned import LIMIT, Learned
from seedtrain.simulation import Culture, culture_of_text

Trained = Mapping[str, Mapping[str, tuple[float, float, str]]]


def hybrid_text(
    text: str,
    culture: Culture,
    parts: Sequence[Learned],
    *,
    values: Mapping[str, float] | None = None,
    source: str = "untrained",
    trained: Trained | None = None,
) -> str:
    """The culture file `text` with each of `parts` in the place of its rate.

    - `values`: of weights and of fitted parameters; `source`: where they are from. - `trained`: by rate and symbol,
      low, high and unit of what the training saw.
    """
    data: dict[str, Any] = parse_document(text, culture.name).data
    known = dict(values or {})
    constants = {name: item for part in parts for name, item in part.constants().items()}
    taken = {*data["species"], *data["parameters"], *data.get("constants", {}), *data.get("expressions", {})}
    new = {*constants, *(name for part in parts for name in (*part.weights, *part.lines("0")))}
    clash = sorted(taken & new - {part.form.rate for part in parts})
    if clash:
        raise InputError(f"culture {culture.name} already has {clash[0]!r}", remedy="Rename it in the culture file.")
    by_rate = {part.form.rate: part for part in parts}
    expressions: dict[str, str] = {}
    for name, own in data.get("expressions", {}).items():
        expressions |= by_rate[name].lines(own) if name in by_rate else {name: own}
    parameters = dict(data["parameters"])
    for name in culture.parameters:
        if name in known:
            parameters[name] = _parameter(culture, name, known[name], source)
    for part in parts:
        start = part.begin(None)
        for name in part.weights:
            value, ends = repr(round(known.get(name, start[name]), 6)), f"{-LIMIT!r} .. {LIMIT!r}"
            parameters[name] = {"value": value, "range": ends, "status": "fitted", "source": "learned, see the head"}
    made = {**data, "culture": f"{culture.name}_hybrid", "parameters": parameters,
            "constants": {**data.get("constants", {}), **constants}, "expressions": expressions}  # fmt: skip
    # A file says what it computes with before what it computes: constants stand before expressions.
    order = [*(key for key in data if key not in ("expressions", "conversions", "rates", "outputs", "trained")),
             "constants", "expressions", "conversions", "outputs"]  # fmt: skip
    found = {key: made[key] for key in dict.fromkeys(order) if key in made}
    if values is not None:
        found["status"] = "unverified"
    if trained:
        found["trained"] = {
            rate: {symbol: f"{low!r} .. {high!r} {unit}".strip() for symbol, (low, high, unit) in item.items()}
            for rate, item in trained.items()
        }
    words = "; ".join(part.form.written for part in parts)
    head = f"# {culture.name} with learned rates: {words}\n"
    return head + (f"# {source}\n" if values is not None else "") + _yaml(found)


def _yaml(data: Mapping[str, Any]) -> str:
    """Sections in blocks, each of their entries on one line, as culture files are written."""
    lines = []
    for key, value in data.items():
        if isinstance(value, dict):
            lines.append(f"{key}:")
            lines += [f"  {name}: {_flow(item)}" for name, item in value.items()]
        else:
            lines.append(f"{key}: {_flow(value)}")
    return "\n".join(lines) + "\n"


def _flow(value: Any) -> str:
    import yaml

    text = str(yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=10**9, default_flow_style=True))
    return text.removesuffix("\n").removesuffix("\n...").strip()


def hybrid_culture(text: str) -> Culture:
    """The culture that `hybrid_text` wrote."""
    return culture_of_text(text, "hybrid culture")


def remaining(hybrid: Culture, fit: Sequence[str]) -> tuple[str, ...]:
    """Those parameters of `fit` that anything in the hybrid still reads."""
    roots = {name for item in hybrid.conversions for name in item.rate.names}
    roots |= {name for item in hybrid.conversions for text in item.amounts.values() for name in text.names}
    roots |= {name for item in hybrid.species.values() for text in item.formula.values() for name in text.names}
    read = still_read({name: text.names for name, text in hybrid.expressions.items()}, frozenset(roots))
    return tuple(name for name in fit if name in read)


def _parameter(culture: Culture, name: str, value: float, source: str) -> dict[str, str]:
    about = culture.parameters[name]
    low, high = min(about.low, value), max(about.high, value)
    found = {"value": f"{value!r} {about.unit}".strip()}
    if low < high:
        found["range"] = f"{low!r} .. {high!r} {about.unit}".strip()
    return found | {"status": "fitted", "source": source}
