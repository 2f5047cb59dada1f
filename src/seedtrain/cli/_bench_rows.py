"""Rows of a bench for people and for machines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from seedtrain.base import EXIT_DONE
from seedtrain.base import translate as _
from seedtrain.cli._common import Common, print_json

Rows = list[dict[str, Any]]


def tell_rows(rows: Rows, options: Common, output: Path | None) -> int:
    """Print the rows for people or for machines, and write them where asked."""
    from seedtrain.base import use_language, write_json

    if output:
        write_json(output, rows)
    if options.json:
        print_json(rows)
        return EXIT_DONE
    with use_language(options.lang):
        whole = all(map(_simulated, rows))
        if rows and whole:
            print(_("simulated: every figure is of a model of culture, vessel and instruments"))
        for case in dict.fromkeys(row["case"] for row in rows):
            mine = [row for row in rows if row["case"] == case]
            print(case if whole or not any(map(_simulated, mine)) else f"{case} ({_('simulated')})")
            for line in _lines(mine):
                print(f"  {line}".rstrip())
        goals = [row for row in rows if row["goal"] is not None]
        met = sum(bool(row["met"]) for row in goals)
        print(_("{met} of {goals} goals met").format(met=met, goals=len(goals)))
        if output:
            print(_("kept: {path}").format(path=output))
    return EXIT_DONE


def _simulated(row: dict[str, Any]) -> bool:
    """Whether a row tells of a model, not of this machine."""
    return row.get("origin") == "simulated"


def _lines(rows: Rows) -> list[str]:
    """Ours once, then every peer."""
    first = rows[0]
    lines = [_line("Seedtrain", first["ours"], first.get("ours_range"), first.get("ours_error"), first["unit"])]
    for row in rows:
        note = row.get("note") or ""
        if row["peer_name"] is None:
            lines[0] += _outcome(row)
            lines += [note] if note else []
            continue
        name = " ".join(filter(None, [row["peer_name"], row["peer_version"]]))
        if row["peer"] is None:
            lines.append(f"{name:<40} {note}{_outcome(row)}")
            continue
        line = _line(name, row["peer"], row.get("peer_range"), row.get("peer_error"), row["unit"])
        lines.append(f"{line}  {_('ratio')} {row['ratio']:.3g}{_outcome(row)}" + (f"; {note}" if note else ""))
    return lines


def _line(name: str, value: float | None, spread: list[float] | None, error: dict[str, float] | None, unit: str) -> str:
    text = f"{name:<40} {'-' if value is None else format(value, '.4g'):>9} {unit}"
    if spread and spread[0] != spread[2]:
        text += f" [{spread[0]:.4g} .. {spread[1]:.4g} .. {spread[2]:.4g}]"
    if error and error["median"] == error["largest"]:
        text += "  " + _("error {error}").format(error=f"{error['largest']:.1e}")
    elif error:
        text += "  " + _("error {median}, largest {largest}").format(
            median=f"{error['median']:.1e}", largest=f"{error['largest']:.1e}"
        )
    return text


def _outcome(row: dict[str, Any]) -> str:
    if row["goal"] is None:
        return ""
    words = _("met") if row["met"] else _("not met")
    return f"  ({_('goal')} {row['goal']:g}: {words})"
