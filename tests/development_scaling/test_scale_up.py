"""A recipe from one vessel to another: what is held, gradients, the rig, times, the document."""

from __future__ import annotations

import dataclasses
import datetime
import itertools
import json
import math
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.base import InputError, use_language
from seedtrain.cli._app import main
from seedtrain.development import (
    KEEP,
    Gradients,
    ScaleUp,
    assumptions,
    gradients,
    rig,
    scale,
    scale_up,
    scale_up_lines,
    timing,
    transfer_blocks,
)
from seedtrain.development._scaling._rig import chain_contrast
from seedtrain.report import Page, render_html
from tests.development.plant import BENCH, EXAMPLE, PILOT, PLANT, batches, culture, recipe, vessels

RECIPE = EXAMPLE / "recipe.yaml"


@cache
def up() -> ScaleUp:
    return scale_up(culture(), vessels(), recipe(), start=PILOT, end=PLANT, keep="oxygen_transfer")


def zoned() -> Gradients:
    found = up().gradients
    assert found is not None
    return found


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(list(arguments))
    return int(left.value.code or 0)


def test_agitation_is_taken_from_the_vessel_where_it_comes_from() -> None:
    found = up()
    assert found.end.agitation.reference == found.start.agitation.scaled
    assert found.start.agitation.keep == "power_per_volume"
    speeds = [
        result.control.recipe.phase("production/growth/fed-batch").number("stirrer_speed", "1/min")
        for result in (found.start, found.end)
    ]
    scaled = [result.agitation.scaled.speed for result in (found.start, found.end)]
    assert speeds[1] / speeds[0] == pytest.approx(scaled[1] / scaled[0], rel=1e-3)


def test_from_the_recipes_own_vessel_it_is_the_scale_up_of_before() -> None:
    (before,) = scale(culture(), vessels(), recipe(), targets=[PILOT], keep="tip_speed")
    (same,) = scale(culture(), vessels(), recipe(), targets=[PILOT], keep="tip_speed", start=BENCH)
    assert same.summary() == before.summary()


def test_every_option_holds_its_criterion_or_says_why_not() -> None:
    found = up()
    assert set(found.options) == set(KEEP)
    for name, option in found.options.items():
        row = next(item for item in option.criteria if item.name == name)
        if option.reached:
            assert row.ratio == pytest.approx(1.0, rel=1e-3)
        else:
            assert option.words
            assert not row.held
    assert found.options["gas_velocity"].reached


def test_carbon_dioxide_falls_with_aeration_and_is_what_leaves() -> None:
    """Where transfer is no hindrance, the broth has what the gas carries off."""
    from seedtrain.development._agitation import carbon_dioxide_pressure, figures
    from seedtrain.simulation import mean_pressure

    result = batches()[PLANT]
    at, tank = result.agitation.scaled, result.vessel
    values = [
        carbon_dioxide_pressure(figures(tank, moved), tank, moved)
        for moved in (dataclasses.replace(at, aeration=vvm) for vvm in (0.3, 0.6, 1.0))
    ]
    assert values[0] > values[1] > values[2]
    limits = figures(tank, at)
    little = carbon_dioxide_pressure(limits, tank, at, 1e-6)
    gas = limits.aeration * 60 / 22.413969 * 1000
    kLa = 0.89 * math.sqrt(limits.kLa_coalescing.value * limits.kLa_non_coalescing.value)
    in_gas = 1e-6 / gas * mean_pressure(tank, at.volume, at.head_pressure)
    assert little == pytest.approx(in_gas + 1e-6 / kLa / (33.0 * math.exp(2400 * (1 / 310.15 - 1 / 298.15))), rel=1e-3)


# --- gradients ------------------------------------------------------------------------------------------------------


def test_gradients_grow_with_the_vessel_and_the_feed_is_at_the_top() -> None:
    large = zoned()
    small = gradients(culture(), batches()[BENCH], 4)
    assert small.return_time < large.return_time / 10
    assert abs(small.titre_lost) < large.titre_lost
    substrate = next(row for row in large.rows if row.name == "S")
    assert list(substrate.zones) == sorted(substrate.zones), "fed from the top"
    oxygen = next(row for row in large.rows if row.name == "DO")
    assert oxygen.zones[0] > oxygen.zones[-1], "used up at the top, dissolved under pressure at the bottom"
    assert large.stay == pytest.approx(large.return_time / 4)


def test_the_mean_of_the_zones_is_the_vessels() -> None:
    run_ = zoned().run
    for name in ("S", "X", "P"):
        mean = np.mean([run_[f"{name}[{zone}]"] for zone in range(1, 5)], axis=0)
        assert mean == pytest.approx(run_[name], rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("count", [1, 0, 13])
def test_too_few_and_too_many_zones_are_refused(count: int) -> None:
    with pytest.raises(InputError, match="zones show no gradient"):
        gradients(culture(), batches()[BENCH], count)


# --- the rig --------------------------------------------------------------------------------------------------------


def chain(count: int, uptake: float, feed: float, exchange: float) -> np.ndarray:
    """Substrate of each zone (the fed one last) at a steady state with first-order uptake; unit volume in all."""
    matrix = np.zeros((count, count))
    for zone in range(count):
        matrix[zone, zone] -= uptake / count
        for other in (zone - 1, zone + 1):
            if 0 <= other < count:
                matrix[zone, zone] -= exchange
                matrix[zone, other] += exchange
    right = np.zeros(count)
    right[-1] = -feed
    return np.linalg.solve(matrix, right)


@given(st.integers(2, 12), st.floats(0.1, 100.0), st.floats(1.0, 1e4))
@settings(max_examples=60, deadline=None)
def test_the_contrast_of_the_rig_is_that_of_the_chain(count: int, feed: float, exchange: float) -> None:
    """Uptake so slow that it is even, as zero-order uptake is: the chain's contrast is F/Q times the derived factor."""
    found = chain(count, 1e-6, feed, exchange)
    assert found[-1] - found[:-1].mean() == pytest.approx(feed / exchange * chain_contrast(count), rel=1e-3)


@given(st.integers(2, 12), st.floats(0.2, 5.0))
@settings(max_examples=40, deadline=None)
def test_the_rig_has_the_times_of_the_vessel(count: int, volume: float) -> None:
    vessel = dataclasses.replace(zoned(), count=count)
    found = rig(vessel, volume)
    assert found.stay == pytest.approx(vessel.stay)
    assert found.return_time == pytest.approx(vessel.return_time)
    assert found.side_volume == pytest.approx(volume / count)
    assert found.pulse_on + found.pulse_off == pytest.approx(vessel.return_time)
    # What the pulses bring in one period is what the mean feed brings.
    assert found.pulse_on * found.pulse_times == pytest.approx(vessel.return_time)
    assert found.flow_for_contrast <= found.flow * (1 + 1e-12)


def test_cells_return_as_often_as_kac_says() -> None:
    """A cell that walks through the zones by chance, simulated, against V/Q and V/(N Q)."""
    count, random = 4, np.random.default_rng(3)
    place, now, entries, inside = count - 1, 0.0, [], 0.0
    for _step in range(200_000):
        ways = [other for other in (place - 1, place + 1) if 0 <= other < count]
        stay = random.exponential(1.0 / count / len(ways))  # V = Q = 1
        now, inside = now + stay, inside + (stay if place == count - 1 else 0.0)
        place = ways[random.integers(len(ways))]
        if place == count - 1:
            entries.append(now)
    assert np.mean(np.diff(entries)) == pytest.approx(1.0, rel=0.02)
    assert inside / len(entries) == pytest.approx(1.0 / count, rel=0.02)


def test_a_rig_without_volume_is_refused() -> None:
    with pytest.raises(InputError, match="rig of 0 L"):
        rig(zoned(), 0.0)


# --- times ----------------------------------------------------------------------------------------------------------


def test_each_culture_ends_when_the_next_begins_and_the_harvest_is_at_nought() -> None:
    found = timing(batches()[PLANT])
    cultures = [moment for moment in found if moment.what == "inoculate"]
    for first, second in itertools.pairwise(cultures):
        assert first.hours + first.duration == pytest.approx(second.hours)
    assert cultures[-1].hours + cultures[-1].duration == pytest.approx(0.0)
    prepared = {moment.unit: moment for moment in found if moment.what == "prepare"}
    for culture_ in cultures:
        ready = prepared[culture_.unit]
        assert ready.hours + ready.duration == pytest.approx(culture_.hours)
    after = [moment for moment in found if moment.what in ("harvest", "process")]
    assert after[0].hours == 0.0
    assert sum(moment.duration for moment in after) == pytest.approx(sum(s.duration for s in batches()[PLANT].steps))
    clock = datetime.datetime(2026, 12, 1, 8, 0)
    assert cultures[0].at(clock) == clock + datetime.timedelta(hours=cultures[0].hours)


def test_the_times_on_a_screen_are_in_its_language() -> None:
    with use_language("zh"):
        lines = "\n".join(scale_up_lines(up()))
    assert "收获" in lines
    assert not any(f"  {word}  " in lines for word in ("prepare", "inoculate", "harvest", "process"))


def test_a_phase_whose_feed_is_lowered_is_named_with_its_part() -> None:
    found = up()
    lines = "\n".join(scale_up_lines(found))
    for item in (found.start, found.end):
        for path, part in item.feed.factors.items():
            assert (f"{path}: the feed is lowered to" in lines) or part >= 0.9995


# --- the document ---------------------------------------------------------------------------------------------------


def test_the_document_has_every_assumption_and_warns_of_what_is_outside() -> None:
    found = up()
    listed = assumptions(found)
    outside = {item.what for item in listed if not item.inside}
    assert "PLANT-20M3: kLa, coalescing, 1/h" in outside, "van 't Riet measured up to 2.6 m3"
    assert not any(item.what.startswith("PILOT-200: kLa") for item in listed if not item.inside)
    page = render_html(Page("transfer", transfer_blocks(found), mark="simulated"))
    for item in listed:
        assert item.what.partition(",")[0].split(":")[0] in page
    for words in ("To confirm before the first batch", "Hughmark 1980", found.end.control.digest, "receiving site"):
        assert words in page


def test_foam_grows_with_the_gas_and_one_that_is_higher_than_its_room_is_told() -> None:
    plain = up()
    assert not any(plain.headspace(item).overflows for item in (plain.start, plain.end)), "not known"
    fills = plain.headspace(plain.end).foaminess
    for part, told in ((0.9, False), (1.1, True)):
        found = dataclasses.replace(plain, foaminess=part * fills)
        room = found.headspace(found.end)
        assert room.foam == pytest.approx(part * room.height)
        assert room.overflows == told
        assert any(line.startswith(f"  {PLANT}: ") and "m of foam" in line for line in scale_up_lines(found)) == told
        assert not any(item.what == "foam: the foaminess of the broth is not known" for item in assumptions(found))
        assert "height of the foam, m" in render_html(Page("transfer", transfer_blocks(found)))


def test_the_document_in_chinese() -> None:
    with use_language("zh"):
        page = render_html(Page("转移", transfer_blocks(up(), harvest=datetime.datetime(2026, 12, 1, 8, 0))))
    assert "保持什么，放弃什么" in page
    assert "2026-12-01 08:00" in page


def test_the_journey_of_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "transfer"
    code = run(
        "scale", str(RECIPE), "--to", PILOT, "--keep", "tip_speed", "--zones", "3",
        "--harvest", "2026-12-01T08:00", "-o", str(out),
    )  # fmt: skip
    assert code == 0
    text = capsys.readouterr().out
    assert "to hold tip speed" in text
    assert "2026-12-01 08:00" in text
    data = json.loads((out / "transfer.json").read_text())
    assert (data["from"], data["to"], data["simulated"]) == (BENCH, PILOT, True)
    assert "simulated" in (out / "transfer.html").read_text()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--to", BENCH], "both where the recipe comes from and where it goes"),
        (["--to", "TANK-9"], "no unit 'TANK-9'"),
        (["--to", PILOT, "--from", "TANK-9"], "no unit 'TANK-9'"),
        (["--to", "FLASK-250"], "Name the seed train of FLASK-250"),
        (["--to", "FLASK-250", "--keep", "tip_speed"], "in FLASK-250, a shake flask, it has no meaning"),
        (["--to", "SEED-20"], "Name the seed train of SEED-20"),
        (["--to", PILOT, "--harvest", "soon"], "no moment"),
        (["--to", PILOT, "--pdf"], "--pdf without --output"),
        (["--to", PILOT, "--keep", "colour"], "colour"),
        (["--to", PILOT, "--zones", "1"], "zones show no gradient"),
        (["--to", PILOT, "--foaminess", "15 m"], "length"),
        (["--to", PILOT, "--foaminess=-1 s"], "foaminess of -1 s"),
        ([], "--to"),
    ],
)
def test_what_does_not_fit_is_refused(
    options: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run("scale", str(RECIPE), *options)
    said = capsys.readouterr()
    assert code == 2
    assert words in said.err + said.out
