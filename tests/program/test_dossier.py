"""The dossier: every figure has its source, states are those of the gap, the mark is everywhere, nothing injects."""

from __future__ import annotations

import ast
import dataclasses
import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrain.base import use_language
from seedtrain.gmp import Sheet, batch_sheets
from seedtrain.program._design_stages import DesignStages
from seedtrain.program._directory import Program, read_program
from seedtrain.program._dossier import dossier_page
from seedtrain.program._dossier_case import SHOWN_DIGITS, Case
from seedtrain.program._dossier_gap import explanation
from seedtrain.program._dossier_sheets import sheet_table, turned_table
from seedtrain.program._dossier_words import THIN, amount, change, exact, number, percent, plain_time, rounded
from seedtrain.program._engine import StageResult
from seedtrain.program._run_figures import agreement, measured_figure, run_figure, scales_figure
from seedtrain.record import open_ledger
from seedtrain.report import (
    Cell,
    Figure,
    GapPlot,
    Heading,
    KeyFigures,
    LinePlot,
    Page,
    StepPlot,
    Table,
    draw,
    page_digest,
    render_html,
)
from seedtrain.simulation import Run
from tests.worked import CAMPAIGN_STAGES

MARK = "simulated batch, not for use"
PROGRAM = Path(__file__).parents[2] / "src" / "seedtrain" / "program"


@pytest.fixture(scope="module")
def case(finished: Path) -> Iterator[Case]:
    """The worked example from what its stages left."""
    program = read_program(finished)
    results = {name: stored(program.out / "stages" / name) for name in CAMPAIGN_STAGES if name != "dossier"}
    with open_ledger(program.out / "record.db", create=False, read_only=True) as ledger:
        yield Case(program, DesignStages(program), results, ledger)


def stored(folder: Path) -> StageResult:
    """The one result of a stage, read without its key: the code may have changed since in a checkout under work."""
    (place,) = (path for path in folder.iterdir() if path.is_dir())
    seal = json.loads((place / "stage.json").read_bytes())
    data = json.loads((place / "result.json").read_bytes())
    return StageResult(seal["stage"], seal["key"], data, place, seal["result"], ran=False)


@pytest.fixture(scope="module")
def page(case: Case) -> Page:
    return made(case)


def made(case: Case, program: Program | None = None) -> Page:
    return dossier_page(program or case.program, case.design, case.results, case.ledger)


def text_of(row: Any) -> list[str]:
    return [cell.text if isinstance(cell, Cell) else str(cell) for cell in row]


# the files that the run left


def test_every_printed_page_carries_the_mark_and_its_number(finished: Path) -> None:
    pypdf = pytest.importorskip("pypdf")
    pages = pypdf.PdfReader(finished / "out" / "dossier.pdf").pages
    assert 10 < len(pages) < 60
    for at, sheet in enumerate(pages, 1):
        words = sheet.extract_text()
        assert MARK in words, f"page {at}"
        assert re.search(rf"\b{at} / {len(pages)}\b", words), f"page {at}"


def test_the_files_are_of_reasonable_size(finished: Path) -> None:
    assert (finished / "out" / "dossier.html").stat().st_size < 2_000_000
    assert (finished / "out" / "dossier.pdf").stat().st_size < 5_000_000


def test_the_same_inputs_give_the_same_bytes_in_another_process(finished: Path, page: Page) -> None:
    written = (finished / "out" / "dossier.html").read_text(encoding="utf-8")
    assert without_code(render_html(page)) == without_code(written)


def without_code(html: str) -> str:
    """A page without the digest of the code, which may have changed since in a checkout under work."""
    text, count = re.subn(r"(<dt>Digest of the code</dt><dd>)[0-9a-f]{64}", r"\1", html)
    assert count == 1
    return text


# traceability


def test_every_table_and_figure_names_a_stage_or_events(case: Case, page: Page) -> None:
    shown = [result.digest[:SHOWN_DIGITS] for name, result in case.results.items() if name != "dossier"]
    apart = {"Stages", "What the user wrote"}
    checked = 0
    for block in page.blocks:
        if isinstance(block, (Table, Figure)) and block.caption not in apart:
            found = re.search(r"\bledger\b", block.source) or any(digest in block.source for digest in shown)
            assert found, f"{block.caption!r}: {block.source!r}"
            checked += 1
    assert checked > 30


def test_every_stage_stands_with_its_key_and_its_result(case: Case, page: Page) -> None:
    table = next(block for block in page.blocks if isinstance(block, Table) and block.caption == "Stages")
    cells = {cell for row in table.rows for cell in text_of(row)}
    for name, result in case.results.items():
        assert {result.key, result.digest} <= cells, name


def test_cited_events_exist_and_are_of_the_batch(case: Case, page: Page) -> None:
    numbers = {event.seq for event in case.events}
    for block in page.blocks:
        if isinstance(block, (Table, Figure)):
            for first, last in re.findall(r"events? (\d+)(?: \.\. (\d+))?", block.source):
                assert {int(first), int(last or first)} <= numbers, block.source


def test_key_figures_are_those_of_the_stages(case: Case, page: Page) -> None:
    shown = {item.label: item for block in page.blocks if isinstance(block, KeyFigures) for item in block.items}
    for stage in ("bench", "scale"):
        for unit, data in case.results[stage].data.items():
            titre = data["production"]["totals"]["titre"][0]
            assert shown[f"Titre, {unit}"].value == number(titre)
    cost = case.results["economics"].data["cost"]["total"]["value"]
    assert shown["Cost of goods"].value == number(cost)
    met = sum(row["state"] == "met" for row in case.criteria)
    assert shown["Criteria met"].value == f"{met} / {len(case.criteria)}"


def test_states_agree_with_the_gap(case: Case, page: Page) -> None:
    rows = json.loads((case.program.out / "gap.json").read_text())["criteria"]
    states = [row["state"] for row in rows]
    plot = next(block.plot for block in page.blocks if isinstance(block, Figure) and isinstance(block.plot, GapPlot))
    assert [row.state for row in plot.rows] == states
    table = next(
        block for block in page.blocks if isinstance(block, Table) and block.caption.startswith("Need, predict")
    )
    assert [row[-1].state for row in table.rows] == states  # type: ignore[union-attr]
    headings = [block.text for block in page.blocks if isinstance(block, Heading)]
    assert sum(text.endswith((": missed", ": unknown")) for text in headings) == len(states) - states.count("met")


def test_the_margin_is_above_one_exactly_where_the_prediction_keeps_the_limit(case: Case, page: Page) -> None:
    plot = next(block.plot for block in page.blocks if isinstance(block, Figure) and isinstance(block.plot, GapPlot))
    for shown, row in zip(plot.rows, case.criteria, strict=True):
        if row["prediction"] is None:
            assert shown.margin is None
            continue
        value, limit = row["prediction"]["value"], row["limit"]
        kept = value >= limit if row["operator"] == ">=" else value <= limit
        assert (shown.margin is not None and shown.margin >= 1) == kept


def test_the_certificate_stands_alone_on_its_page_and_says_what_was_found(case: Case, page: Page) -> None:
    headings = [block for block in page.blocks if isinstance(block, Heading) and block.level == 2]
    at = next(at for at, block in enumerate(headings) if block.text == "Certificate of analysis")
    assert headings[at].new_page
    assert headings[at + 1].new_page
    table = next(
        block for block in page.blocks if isinstance(block, Table) and block.caption == "Certificate of analysis"
    )
    assert len(table.rows) == len(case.pilot.control.recipe.specification.lines)
    found = {item.reported for item in case.record.results}
    assert {text_of(row)[3] for row in table.rows} <= found


def test_the_appendix_holds_every_sheet_of_the_record(case: Case, page: Page) -> None:
    headings = [block.text for block in page.blocks if isinstance(block, Heading)]
    start = next(at for at, text in enumerate(headings) if text.startswith("Appendix"))
    assert headings[start + 1 :] == [sheet.title for sheet in batch_sheets(case.record)]


def test_the_strategy_cites_the_line_of_the_users_recipe(case: Case, page: Page) -> None:
    table = next(
        block for block in page.blocks if isinstance(block, Table) and block.columns[0].head == "Quality attribute"
    )
    lines = (case.program.folder / "recipe.yaml").read_text().splitlines()
    for row, line in zip(table.rows, case.strategy, strict=True):
        file, at = text_of(row)[-1].split(":")
        assert file == "recipe.yaml"
        assert line.attribute in lines[int(at) - 1]


def test_what_left_its_limits_is_marked_in_the_record(case: Case, page: Page) -> None:
    out = sum(not (item.within and item.keeps_limits) for item in case.record.values)
    assert out > 0
    table = next(block for block in page.blocks if isinstance(block, Table) and block.caption == "Values")
    marked = [cell for row in table.rows for cell in row if isinstance(cell, Cell) and cell.state == "missed"]
    assert len(marked) == out


# people who write hostile or other words


def test_a_hostile_title_is_only_text(case: Case) -> None:
    title = 'Tide <script>alert(1)</script> "&\u202e #set page(fill: red)'
    entry = case.program.need.entry.model_copy(update={"title": title, "company": "<img src=x onerror=alert(1)>"})
    need = dataclasses.replace(case.program.need, entry=entry)
    html = render_html(made(case, dataclasses.replace(case.program, need=need)))
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "\u202e" not in html


def test_chinese_leaves_no_english_in_headings_and_columns(case: Case) -> None:
    with use_language("zh"):
        page = made(case)
    names = {result.unit for result in case.scales} | {
        case.batch,
        "EU",
        "mg",
        "kg",
        "USD",
        "CO2e",
        "SHA",
        "DNA",
        "kLa",
        "log10",
    }
    names |= {"UTC", "GC", "IPTG", "pH"}
    heads = [block.text for block in page.blocks if isinstance(block, Heading)]
    heads += [column.head for block in page.blocks if isinstance(block, Table) for column in block.columns[1:]]
    heads += [block.caption for block in page.blocks if isinstance(block, (Table, Figure))]
    for text in (page.label, page.subtitle, page.mark, *heads):
        left = text
        for name in (*names, case.record.deviations[0].deviation):
            left = left.replace(name, "")
        assert not re.search(r"[A-Za-z]{4,}", left), text


def literals() -> set[str]:
    found = set()
    for path in (*PROGRAM.glob("_dossier*.py"), PROGRAM / "_run_figures.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_":
                found.add(str(ast.literal_eval(node.args[0])))
    return found


def test_every_text_has_chinese_with_the_same_places_to_fill() -> None:
    from seedtrain.base import translate

    assert len(literals()) > 200
    with use_language("zh"):
        for text in literals():
            other = translate(text)
            if text not in ("pH",):
                assert other != text, text
            assert sorted(re.findall(r"{(\w+)}", other)) == sorted(re.findall(r"{(\w+)}", text)), text


def test_the_page_is_the_same_again_and_another_in_chinese(case: Case, page: Page) -> None:
    assert page_digest(made(case)) == page_digest(page)
    with use_language("zh"):
        assert page_digest(made(case)) != page_digest(page)


# plain words


def row(case: Case, **more: Any) -> dict[str, Any]:
    titre = case.criterion("titre")
    assert titre is not None
    return {**titre, **more}


def test_the_explanation_says_how_far_and_on_which_side(case: Case) -> None:
    low = explanation(case, row(case, limit=4.0, prediction=outcome(3.0), batch=None, levers=[]))
    assert "25.0 % below the limit of 4 g/L" in low
    high = explanation(case, row(case, limit=4.0, prediction=outcome(5.0), batch=None, levers=[]))
    assert "25.0 % above the limit" in high
    unsure = outcome(3.9, 3.0, 5.0, "inconclusive")
    assert "from 3.00 to 5.00 reaches across" in explanation(case, row(case, limit=4.0, prediction=unsure, levers=[]))


def outcome(value: float, low: float | None = None, high: float | None = None, verdict: str = "fail") -> dict[str, Any]:
    return {"value": value, "low": low, "high": high, "verdict": verdict}


LEVER: Mapping[str, Any] = {
    "group": "vessel",
    "name": "motor_power",
    "value": 30000.0,
    "unit": "W",
    "status": "given",
    "per": "+1 %",
    "total": 0.02,
    "direct": 0.001,
    "needed": 0.15,
}


def test_the_explanation_tells_what_comes_through_the_feed_and_what_would_close_the_gap(case: Case) -> None:
    told = explanation(case, row(case, prediction=outcome(3.0), levers=[dict(LEVER)]))
    assert "motor power (vessel): +1 % moves it by +2.00 %" in told
    assert "With the feed held it would be +0.100 %" in told
    assert "+15.0 % of motor power would close the gap" in told
    shift = {**LEVER, "unit": "degC", "name": "coolant_temperature", "per": "+1 K", "needed": -2.5, "direct": 0.02}
    told = explanation(case, row(case, prediction=outcome(3.0), levers=[shift]))
    assert "−2.50 K of coolant temperature" in told
    assert "feed held" not in told
    far = explanation(case, row(case, state="missed", prediction=outcome(3.0), levers=[{**LEVER, "needed": None}]))
    assert "No single lever closes the gap" in far


# numbers


@given(st.floats(min_value=-1e12, max_value=1e12, allow_nan=False))
def test_a_number_in_print_is_within_its_digits(value: float) -> None:
    text = number(value).replace(THIN, "").replace("−", "-").replace("×10^", "e")
    assert math.isclose(float(text), value, rel_tol=0.0051)
    assert len(re.sub(r"\D", "", text.partition("e")[0]).lstrip("0")) <= 7


def test_numbers_as_people_write_them() -> None:
    assert number(1234567.0) == f"1{THIN}230{THIN}000"
    assert number(None) == number(math.nan) == percent(math.nan) == "–"
    assert (number(0.0), number(3.0004e-9), exact(4.0, "g/L"), exact(1500.0)) == (
        "0",
        "3.00×10^−9",
        "4 g/L",
        f"1{THIN}500",
    )
    assert (change(0.05), change(-0.05), amount(2.0)) == ("+5.00 %", "−5.00 %", "2.00")
    assert rounded("pH 6.6266666 outside 6.8 .. 7.2, 12 h, 2026") == "pH 6.627 outside 6.8 .. 7.2, 12 h, 2026"
    assert plain_time("2026-10-24T22:26:51.000000Z") == "2026-10-24 22:26:51"


# plots of runs


def test_a_run_is_drawn_from_its_own_values(case: Case) -> None:
    run = case.bench.production
    plot = run_figure(run, oxygen_floor=15.0)
    assert isinstance(plot, LinePlot)
    lines = {line.label: line for panel in plot.panels for line in panel.lines}
    assert np.array_equal(lines["product"].y, run["P"])
    assert np.allclose(lines["feed"].y, 1000 * run["F"])  # a bench vessel is fed in mL/h
    assert [item.value for panel in plot.panels for item in panel.thresholds] == [15.0]
    assert plot.mark == "simulated"
    assert [event.label for event in plot.events] == ["inducer added"]
    assert "<svg" in draw(plot).svg


def test_a_run_without_a_variable_is_drawn_without_it(case: Case) -> None:
    run = case.bench.production
    bare = dataclasses.replace(run, variables={"DCW": run.variables["DCW"]}, origin="measured")
    plot = run_figure(bare)
    assert isinstance(plot, LinePlot)
    assert [line.label for panel in plot.panels for line in panel.lines] == ["dry cell weight"]
    assert plot.mark == ""


def test_prediction_agrees_with_itself_and_differs_by_what_is_added(case: Case) -> None:
    run = case.pilot.production
    # Where two phases meet, one time has two values, and interpolation between the runs takes either.
    single = np.flatnonzero(np.r_[True, np.diff(run.time) > 0] & np.r_[np.diff(run.time) > 0, True])
    thin = dataclasses.replace(
        run,
        time=run.time[single],
        variables={name: dataclasses.replace(item, values=item.values[single]) for name, item in run.variables.items()},
    )
    assert all(found == pytest.approx(0.0, abs=1e-9) for _, _, found, _ in agreement(run, thin))
    more = dataclasses.replace(thin.variables["V"], values=thin["V"] + 2.0)
    moved = dataclasses.replace(thin, variables={**thin.variables, "V": more})
    rows = {name: (found, share) for name, _, found, share in agreement(run, moved)}
    assert rows["broth volume"][0] == pytest.approx(2.0)
    assert rows["broth volume"][1] == pytest.approx(2.0 / np.ptp(run["V"]))


def test_the_excursion_is_seen_in_the_plot_of_the_batch(case: Case) -> None:
    measured = Run.from_data(case.results["batch"].data["content"]["measured"])
    plot = measured_figure(case.pilot.production, measured)
    assert isinstance(plot, LinePlot)
    lowest = min(measured["pH"])
    panel = next(panel for panel in plot.panels if panel.title == "pH")
    assert min(panel.lines[1].y) == pytest.approx(lowest)
    assert "out of limits" in [event.label for event in plot.events]
    product = next(panel for panel in plot.panels if panel.title.startswith("product"))
    value, _unit = measured.totals["sample/production/induction/express/product"]
    assert list(product.lines[1].y) == [value]


def test_the_scales_stand_side_by_side(case: Case) -> None:
    plot = scales_figure({result.unit: result.production for result in case.scales})
    assert isinstance(plot, LinePlot)
    for panel in plot.panels:
        assert [line.label for line in panel.lines] == [result.unit for result in case.scales]


def test_endotoxin_ends_at_what_the_scale_found(case: Case, page: Page) -> None:
    plot = next(block.plot for block in page.blocks if isinstance(block, Figure) and isinstance(block.plot, StepPlot))
    data = case.results["scale"].data[case.production.unit]
    assert plot.steps[-1].value == pytest.approx(data["quality"]["endotoxin"][0], rel=1e-9)
    assert plot.limit == case.limit("endotoxin")


# sheets as tables

cells = st.text(alphabet="abcXYZ -", max_size=4)


@given(st.integers(1, 5).flatmap(lambda width: st.lists(st.tuples(*[cells] * width), min_size=1, max_size=8)))
def test_folding_and_turning_a_sheet_loses_nothing(rows: list[tuple[str, ...]]) -> None:
    heads = tuple(f"head {at}" for at in range(len(rows[0])))
    sheet = Sheet("any", "Any", heads, tuple(rows))
    table = sheet_table(sheet, "note")
    kept = [column.head for column in table.columns]
    for at, head in enumerate(heads):
        if head in kept:
            assert [text_of(line)[kept.index(head)] for line in table.rows] == [row[at] for row in rows]
        else:
            assert head in table.source
            assert len({row[at] for row in rows}) == 1
            assert rows[0][at] in table.source
    turned = turned_table(sheet, "note")
    assert [column.head for column in turned.columns] == [heads[0], *(row[0] for row in rows)]
    assert [list(line[1:]) for line in turned.rows] == [[row[at] or "–" for row in rows] for at in range(1, len(heads))]
