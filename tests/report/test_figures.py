"""Plots: the same bytes in every run, text as text, the mark in each, and what cannot be drawn is refused."""

import math
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.base import InputError, use_language
from seedtrain.report import Band, GapPlot, GapRow, Line, LinePlot, Panel, Step, StepPlot, draw
from seedtrain.report._canvas import legend_rows, power_of_ten, rows_for, wrapped
from tests.report import demo

PLOTS = {
    "lines": demo.LINES,
    "curves": demo.CURVES,
    "stacks": demo.STACKS,
    "tornado": demo.TORNADO,
    "gap": demo.GAP,
    "steps": demo.STEPS,
}
SVG = "{http://www.w3.org/2000/svg}"


def texts(svg):
    return ["".join(item.itertext()) for item in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314 - our own output


@pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS)
def test_every_plot_is_well_formed_repeatable_and_carries_the_mark(plot):
    first = draw(plot, "simulated")
    assert draw(plot, "simulated") == first
    assert "simulated" in texts(first.svg)
    assert "simulated" not in texts(draw(replace(plot, mark=None), "simulated").svg)
    assert "measured" in texts(draw(replace(plot, mark="measured"), "simulated").svg)
    for word in ("<script", "http://www.w3.org/1999/xhtml", "<metadata", "<!--", "Matplotlib"):
        assert word not in first.svg
    assert first.alt == plot.alt
    box = ET.fromstring(first.svg).get("viewBox", "").split()  # noqa: S314 - our own output
    assert [float(item) for item in box[2:]] == pytest.approx([first.width, first.height], abs=0.01)


def test_the_users_own_settings_change_nothing_and_are_left_alone():
    import matplotlib as mpl

    ours = draw(demo.GAP)
    with mpl.rc_context({"font.size": 31.0, "lines.linewidth": 9.0, "svg.hashsalt": None}):
        assert draw(demo.GAP) == ours
        assert mpl.rcParams["font.size"] == 31.0


def test_labels_are_text_and_never_formulae_or_markup():
    nasty = "$\\frac{1}{2}$ <b>&amp;</b> </text><script>x</script>"
    plot = replace(demo.LINES, x_title=nasty, panels=(Panel(nasty, (Line("a", [0, 1], [1, 2]),)),))
    assert texts(draw(plot).svg).count(nasty) == 2
    assert "<script" not in draw(plot).svg


@settings(max_examples=10)
@given(st.text(min_size=1, max_size=12))
def test_any_text_gives_well_formed_svg(text):
    plot = StepPlot(text, text, (Step(text, 10.0, text), Step(text, 1.0, text)), 2.0, text, text)
    assert ET.fromstring(draw(plot, text).svg).tag == f"{SVG}svg"  # noqa: S314 - our own output


def test_gaps_and_arrays_are_drawn_and_chinese_is_kept():
    time = np.linspace(0, 5, 20)
    values = np.where(time > 2, np.nan, time)
    line = Line("生物量", time, values, low=values * 0.9, high=values * 1.1)
    with use_language("zh"):
        found = texts(draw(LinePlot("图", "时间，h", (Panel("浓度", (line, replace(line, label="产物"))),))).svg)
    assert {"生物量", "产物", "时间，h", "浓度"} <= set(found)


@pytest.mark.parametrize(
    ("plot", "words"),
    [
        (LinePlot("empty", "t", (Panel("p", ()),)), "nothing to draw"),
        (LinePlot("nan", "t", (Panel("p", (Line("a", [math.nan], [1.0]),)),)), "nothing to draw"),
        (LinePlot("torn", "t", (Panel("p", (Line("a", [0, 1], [1]),)),)), "different lengths"),
    ],
)
def test_what_cannot_be_drawn_is_a_typed_error(plot, words):
    with pytest.raises(InputError, match=words):
        draw(plot)


def _bars(svg):
    """(left, right) of every filled bar in drawing order, by colour."""
    found = []
    for path in ET.fromstring(svg).iter(f"{SVG}path"):  # noqa: S314 - our own output
        style = path.get("style", "")
        if "fill: #00796b" in style or "fill: #c2410c" in style:
            corners = [float(item) for item in path.get("d", "").replace("\n", " ").split() if item[-1].isdigit()]
            found.append(("met" if "#00796b" in style else "missed", min(corners[::2]), max(corners[::2])))
    return found


@given(st.floats(1.1, 500), st.floats(0.002, 0.9))
@settings(max_examples=10)
def test_met_stands_right_of_the_limit_and_missed_left_of_it(met, missed):
    rows = (GapRow("a", "met", met), GapRow("b", "missed", missed))
    bars = {state: (low, high) for state, low, high in _bars(draw(GapPlot("gap", rows)).svg)}
    assert bars["missed"][1] == pytest.approx(bars["met"][0], abs=0.01), "both start at the limit"
    assert bars["missed"][0] < bars["missed"][1]
    assert bars["met"][0] < bars["met"][1]


def test_bands_outside_the_plot_are_left_out():
    found = texts(draw(replace(demo.LINES, bands=(Band("inside", 1, 9), Band("outside", 90, 99)))).svg)
    assert "inside" in found
    assert "outside" not in found


@given(st.lists(st.tuples(st.floats(0, 6), st.floats(0.1, 2)), max_size=12))
def test_labels_of_one_row_never_overlap(labels):
    labels.sort(key=lambda item: item[0] - item[1] / 2)
    rows = rows_for(labels, 0.1)
    for row in set(rows):
        mine = [item for item, at in zip(labels, rows, strict=True) if at == row]
        for (a, wide_a), (b, wide_b) in pairwise(mine):
            assert a + wide_a / 2 + 0.1 <= b - wide_b / 2 + 1e-9


@given(st.text("ab 胶原", max_size=40), st.floats(0.2, 3))
def test_wrapping_keeps_every_letter(text, width):
    assert wrapped(text, width).replace("\n", "").replace(" ", "") == text.replace(" ", "")


@given(st.lists(st.text("abc", min_size=1, max_size=20), max_size=9), st.floats(1, 6))
def test_legends_hold_every_entry_once_in_order(labels, width):
    assert [at for row in legend_rows(labels, width) for at in row] == list(range(len(labels)))


@pytest.mark.parametrize(
    ("value", "text"),
    [(1000, "1000"), (0.01, "0.01"), (1e4, "10⁴"), (1.2e7, "1.2×10⁷"), (1e-6, "10⁻⁶"), (0, "")],
)
def test_powers_of_ten_are_written_as_people_write_them(value, text):
    assert power_of_ten(value) == text
