"""The factor table as Markdown, for docs/reference/factors.md, and as rows for a report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from seedtrain.development._factor_table import Factor, FactorTable
from seedtrain.quantity import number_text

FACTOR_COLUMNS: Final = ("factor", "value", "low", "high", "unit", "geography", "year", "status", "verified", "source")


def factor_rows(table: FactorTable, names: Iterable[str] | None = None) -> Iterator[tuple[str, ...]]:
    """One row of text per number of the table (or per one of `names`), in the order of `FACTOR_COLUMNS`."""
    wanted = set(names) if names is not None else None
    for factor in _factors(table):
        if wanted is None or factor.name in wanted:
            yield (
                factor.name,
                _number(factor.value),
                _number(factor.low),
                _number(factor.high),
                factor.unit,
                factor.geography,
                factor.year,
                factor.status,
                "yes" if factor.verified else "no",
                "-" if factor.status == "assumed" else factor.source,
            )


def factors_markdown(table: FactorTable) -> str:
    """The whole table as a Markdown table, one number a line."""
    lines = ["| " + " | ".join(FACTOR_COLUMNS) + " |", "| " + " | ".join("---" for _ in FACTOR_COLUMNS) + " |"]
    lines += ["| " + " | ".join(row) + " |" for row in factor_rows(table)]
    return "\n".join(lines) + "\n"


def _factors(table: FactorTable) -> Iterator[Factor]:
    for item in table.items.values():
        yield from (factor for factor in (item.price, item.carbon, item.life) if factor is not None)
    yield from table.parameters.values()


def _number(value: float) -> str:
    return number_text(value) if value < 1e5 else f"{value:,.0f}".replace(",", " ")
