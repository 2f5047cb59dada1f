"""Cultures on compiled metabolism: published numbers, balances, exact solutions, and what must not matter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from seedtrain.base import InputError
from seedtrain.simulation import TrajectoryError
from seedtrain.simulation._metabolism import (
    Constant,
    DynamicSettings,
    Feed,
    GasTransfer,
    Kinetics,
    LazyTable,
    Monod,
    Span,
    compile_metabolism,
    draw,
    dynamic_fba,
    dynamic_fba_ensemble,
    dynamic_fba_sensitivities,
    reactor,
    simulate_reactor,
)
from seedtrain.simulation._metabolism._batch import lp_route
from seedtrain.simulation._metabolism._integrate import Method, integrate
from tests.simulation_metabolism.cases import (
    ACETATE,
    AMMONIUM,
    GLUCOSE,
    OXYGEN,
    batch,
    fed,
    five,
    small,
    table,
)

HOURS = np.linspace(0.0, 10.0, 101)
TIGHT = DynamicSettings(rtol=1e-10, atol=1e-12, method="stiff", most_steps=10**6)


def states(culture, times=HOURS, settings: DynamicSettings | None = None, **changes: float):
    found = integrate(culture, culture.vector(changes)[None], 0.0, np.asarray(times, dtype=float), settings=settings)
    assert found.status[0] == 0
    return found.states[0]


@pytest.mark.parametrize(
    ("model", "biomass", "peak"),
    [
        ("textbook", 5.1522103, 26.264115),
        pytest.param("iJO1366", 5.6131809, 12.540027, marks=pytest.mark.slow),
    ],
)
def test_the_reference_batch(model: str, biomass: float, peak: float) -> None:
    """Lexicographic programmes at every step, LSODA at rtol 1e-9, give these (docs/validation.md)."""
    found = states(batch(model), settings=DynamicSettings(rtol=1e-7, atol=1e-9))
    assert found[-1, 0] == pytest.approx(biomass, abs=1e-6)
    assert found[:, 2].max() == pytest.approx(peak, abs=1e-4)


@pytest.mark.parametrize("maintenance", [0.0, 8.39])
def test_a_programme_at_every_step_gives_the_same(maintenance: float) -> None:
    culture = batch(maintenance=maintenance)
    ours, exact = states(culture, settings=DynamicSettings(rtol=1e-8, atol=1e-10)), lp_route(culture, HOURS)
    assert abs(ours[-1, 0] - exact[-1, 0]) < 1e-6
    assert abs(ours[:, 2].max() - exact[:, 2].max()) < 1e-4
    assert np.abs(ours - exact).max() < 1e-3


@pytest.mark.slow
def test_a_genome_scale_programme_at_every_step_gives_the_same() -> None:
    for maintenance in (0.0, 3.15):
        culture = batch("iJO1366", maintenance)
        ours, exact = states(culture, settings=DynamicSettings(rtol=1e-8, atol=1e-10)), lp_route(culture, HOURS)
        assert abs(ours[-1, 0] - exact[-1, 0]) < 1e-6
        assert abs(ours[:, 2].max() - exact[:, 2].max()) < 1e-4


@pytest.mark.slow
def test_the_genome_scale_model_has_its_regions() -> None:
    found = compile_metabolism("iJO1366", moving=five(1.0, 8.0), fresh=True)
    proof = found.certificate
    assert proof is not None
    assert 60 <= proof.regions <= 75
    assert proof.gap < 1e-8
    assert max(proof.random, proof.face, proof.kink) < 1e-6
    assert proof.flux_gap < 1e-4
    assert proof.growth_loss < 1e-8
    assert proof.cpu_seconds < 20


@pytest.mark.slow
def test_random_genome_scale_batches_agree_with_tight_ones() -> None:
    from seedtrain.simulation._metabolism._batch import random_batch, random_spans

    culture = random_batch(table("iJO1366"))
    loose, tight = (
        dynamic_fba_ensemble(culture, [10.0], random_spans(), n=500, settings=item)
        for item in (DynamicSettings(rtol=1e-7, atol=1e-9), TIGHT)
    )
    off = np.abs(loose.states - tight.states)[:, 0, 0]
    assert np.median(off) < 1e-7
    assert off.max() < 1e-5


def test_growth_without_limits_is_exponential() -> None:
    """So much glucose that it limits nothing, and no acetate taken up."""
    changes = {f"{GLUCOSE}.initial": 1e9, f"{ACETATE}.q_max": 0.0, "ATPM.value": 8.39}
    growth = float(table().evaluate([10.0, 15.0, 0.0, 12.0, 8.39]).growth)
    found = states(batch(), settings=DynamicSettings(rtol=1e-9, atol=1e-12), **changes)
    assert np.abs(found[:, 0] / (0.1 * np.exp(growth * HOURS)) - 1).max() < 1e-7


def test_starving_cells_die_at_their_rate() -> None:
    culture = batch(maintenance=8.39, k_d=0.01)
    found = states(culture, settings=DynamicSettings(rtol=1e-9, atol=1e-12), **{f"{GLUCOSE}.initial": 0.0})
    assert np.abs(found[:, 0] / (0.1 * np.exp(-0.01 * 8.39 * HOURS)) - 1).max() < 1e-8


def test_a_feed_without_cells_that_eat_dilutes() -> None:
    changes = {f"{GLUCOSE}.q_max": 0.0, f"{OXYGEN}.q_max": 0.0, "k_d": 0.0}
    for method in ("explicit", "stiff"):
        found = states(fed(track=()), HOURS, DynamicSettings(rtol=1e-9, atol=1e-11, method=method), **changes)
        span = np.clip(HOURS, 1.0, 9.0) - 1.0
        volume = 1.0 + 0.012 * np.expm1(0.12 * span) / 0.12
        assert np.abs(found[:, 4] - volume).max() < 1e-7
        assert np.abs(found[:, 0] * volume - 1.0).max() < 1e-6
        assert np.abs(found[:, 1] * volume - 20.0 - 2500.0 * (volume - 1.0)).max() < 1e-4
        assert found[10, 2] == pytest.approx(0.25 - 0.05 * np.exp(-200.0 * HOURS[10]), abs=1e-8)


@pytest.mark.parametrize("method", ["explicit", "stiff"])
def test_the_error_follows_the_tolerance(method: Method) -> None:
    culture = fed(track=())
    exact = states(culture, [8.0], DynamicSettings(rtol=1e-12, atol=1e-13, method="stiff", most_steps=10**7))
    off = [
        np.abs(
            states(culture, [8.0], DynamicSettings(rtol=rtol, atol=rtol * 1e-2, method=method, most_steps=10**7))
            / exact
            - 1
        )
        for rtol in (1e-4, 1e-6, 1e-8)
    ]
    errors = [float(item[0, [0, 3, 4]].max()) for item in off]
    assert errors[0] < 1e-3
    assert errors[1] < 1e-5
    assert errors[2] < 1e-6
    assert errors[2] < errors[0] / 30


@pytest.mark.parametrize(("method", "order"), [("explicit", 5), ("stiff", 4)])
def test_the_order_of_convergence(method: Method, order: int) -> None:
    """Inside one region the field is smooth: the error falls with the number of steps to the method's order."""
    culture = fed(track=())
    span, points = [0.9], []
    exact = states(culture, span, DynamicSettings(rtol=1e-13, atol=1e-15, method="stiff", most_steps=10**7))
    for rtol in (1e-5, 1e-7, 1e-9, 1e-11):
        settings = DynamicSettings(rtol=rtol, atol=rtol * 1e-2, method=method, most_steps=10**7)
        found = integrate(culture, culture.vector()[None], 0.0, np.array(span), settings=settings)
        points.append((float(found.steps[0]), float(np.abs(found.states[0, 0, :4] / exact[0, :4] - 1).max())))
    steps, errors = np.array([item for item in points if 1e-12 < item[1] < 1e-3]).T
    slope = -np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert slope > order - 0.7


def test_a_stiff_culture_is_handed_over() -> None:
    culture = fed(track=(), K_S=1e-4)
    vector = culture.vector()[None]
    found = {
        method: integrate(
            culture, vector, 0.0, np.array([9.0]), settings=DynamicSettings(method=method, most_steps=10**6)
        )
        for method in ("auto", "explicit", "stiff")
    }
    assert found["auto"].rates[0] < found["explicit"].rates[0] / 3
    reference = found["stiff"].states[0, 0]
    for item in found.values():
        assert item.states[0, 0] == pytest.approx(reference, rel=1e-4, abs=1e-6)


def test_carbon_and_volume_close_in_the_run() -> None:
    culture = fed()
    run = dynamic_fba(
        small(), culture.kinetics, {"X": 1.0, GLUCOSE: 20.0, OXYGEN: 0.2, "V": 1.0}, HOURS, feeds=culture.feeds,
        parameters={"k_d": 0.0},
    )  # fmt: skip
    (carbon,) = run.balances
    assert carbon.name == "carbon"
    assert carbon.inlet > 0
    assert abs(carbon.relative) < 1e-9
    assert run.final("V") == pytest.approx(1.0 + 0.012 * np.expm1(0.12 * 8.0) / 0.12, abs=1e-6)
    assert run["F"].max() == pytest.approx(0.012 * np.exp(0.12 * 8.0), rel=0.02)


@limits(max_examples=25)
@given(
    st.fixed_dictionaries(
        {
            f"{GLUCOSE}.q_max": st.floats(0.5, 12),
            f"{GLUCOSE}.K_S": st.floats(0.01, 5),
            f"{ACETATE}.q_max": st.floats(0, 8),
            f"{AMMONIUM}.value": st.floats(0, 12),
            f"{OXYGEN}.q_max": st.floats(0, 20),
            f"{OXYGEN}.kLa": st.floats(1, 200),
            "ATPM.value": st.floats(0, 12),
            "X.initial": st.floats(0.01, 3),
            f"{GLUCOSE}.initial": st.floats(0, 200),
            f"{ACETATE}.initial": st.floats(0, 50),
        }
    )
)
def test_any_culture_conserves_carbon_and_stays_positive(parameters) -> None:
    culture = batch(track=None)
    run = simulate_reactor(culture, HOURS, parameters=parameters, events=False)
    (carbon,) = run.balances
    assert abs(carbon.residual) < 1e-6 * max(1.0, carbon.inlet)
    for name in ("X", GLUCOSE, ACETATE, "deficit:ATPM"):
        assert run[name].min() >= -1e-9
    assert len(run.time) == len(HOURS)


def test_threads_and_chunks_do_not_matter() -> None:
    culture = batch(maintenance=8.39)
    spans = {f"{GLUCOSE}.q_max": Span(6, 12), f"{GLUCOSE}.K_S": Span(0.01, 1, log=True), "X.initial": Span(0.05, 0.5)}
    first = dynamic_fba_ensemble(culture, HOURS[::20], spans, n=300, seed=3)
    for threads, chunk in ((1, 300), (2, 7), (3, 128)):
        other = dynamic_fba_ensemble(
            culture, HOURS[::20], spans, n=300, seed=3, chunk=chunk, settings=DynamicSettings(threads=threads)
        )
        assert np.array_equal(first.states, other.states)
        assert np.array_equal(first.parameters, other.parameters)
    columns = {name: first.parameters[100:110, place] for place, name in enumerate(first.names)}
    given_columns = dynamic_fba_ensemble(culture, HOURS[::20], columns)
    assert np.array_equal(given_columns.states, first.states[100:110])
    assert not (first.status != 0).any()
    assert first.reason(0) == ""


def test_an_ensemble_streams_to_a_file(tmp_path) -> None:
    culture = batch()
    spans = {f"{GLUCOSE}.q_max": Span(6, 12)}
    seen: list[float] = []
    kept = dynamic_fba_ensemble(culture, HOURS[::10], spans, n=50, seed=1)
    streamed = dynamic_fba_ensemble(
        culture, HOURS[::10], spans, n=50, seed=1, chunk=8, file=tmp_path / "states.npy",
        progress=lambda done, _: seen.append(done),
    )  # fmt: skip
    assert np.array_equal(np.load(tmp_path / "states.npy"), kept.states)
    assert isinstance(streamed.states, np.memmap)
    assert seen[-1] == 1.0
    assert len(seen) == 7


def test_draws_are_a_stream_by_name() -> None:
    spans = {"a": Span(0, 1), "b": Span(1e-3, 1e3, log=True)}
    whole = draw(spans, 100, 5)
    assert np.array_equal(draw(spans, 30, 5, first=40)["b"], whole["b"][40:70])
    assert np.array_equal(draw({"b": spans["b"]}, 100, 5)["b"], whole["b"])
    assert not np.array_equal(draw(spans, 100, 6)["a"], whole["a"])
    assert (whole["b"] > 0).all()
    for wrong in (Span(2, 1), Span(0, 1, log=True)):
        with pytest.raises(InputError, match="range"):
            draw({"a": wrong}, 3, 0)


def test_sensitivities_match_differences() -> None:
    culture = fed(track=())
    names = [
        "k_d", f"{GLUCOSE}.q_max", f"{GLUCOSE}.K_S", f"{GLUCOSE}.K_I", f"{OXYGEN}.q_max", f"{OXYGEN}.K_S", "ATPM.value",
        f"{OXYGEN}.transfer_kLa", f"{OXYGEN}.transfer_saturation", "feed.rate", "feed.growth", f"feed.{GLUCOSE}",
        "X.initial", f"{GLUCOSE}.initial", "V.initial",
    ]  # fmt: skip
    times = [0.5, 4.0, 8.0, 10.0]
    found = dynamic_fba_sensitivities(culture, times, names)
    assert found.values.shape == (4, 5, len(names))
    assert np.abs(found.states - states(culture, times)).max() < 1e-2
    for place, name in enumerate(names):
        value = culture.uses[name].value
        step = 1e-4 * value
        columns = {name: [value + step, value - step, value + step / 2, value - step / 2]}
        moved = integrate(culture, culture.matrix(columns, 4), 0.0, np.array(times), settings=TIGHT).states
        exact = (4 * (moved[2] - moved[3]) / step - (moved[0] - moved[1]) / (2 * step)) / 3
        size = np.abs(exact * value).max(axis=0) + 1e-3 * np.abs(moved[0]).max(axis=0)
        assert (np.abs(found.values[:, :, place] - exact) * value / size).max() < 2e-4, name


def test_passive_states_have_sensitivities_too() -> None:
    culture = fed()
    names = [f"{GLUCOSE}.q_max", "feed.rate", "feed.EX_co2_e", "EX_co2_e.initial", f"feed.{GLUCOSE}"]
    parameters = {"feed.EX_co2_e": 3.0, "EX_co2_e.initial": 2.0}
    found = dynamic_fba_sensitivities(culture, [4.0, 8.0], names, parameters=parameters)
    place = culture.states.index("EX_co2_e")
    for number, name in enumerate(names):
        value = parameters.get(name, culture.uses[name].value)
        step = 1e-4 * value
        two = [{**parameters, name: value + sign * step} for sign in (1, -1)]
        up, down = (states(culture, [4.0, 8.0], TIGHT, **item) for item in two)
        exact = (up - down)[:, place] / (2 * step)
        assert found.values[:, place, number] == pytest.approx(exact, rel=2e-4, abs=1e-5)


def test_events_stand_where_things_happen() -> None:
    culture = batch(maintenance=8.39)
    run = simulate_reactor(culture, HOURS)
    when = {item.kind: item.time for item in run.events if item.kind != "depleted"}
    gone = {item.words.split()[0]: item.time for item in run.events if item.kind == "depleted"}
    assert set(gone) == {GLUCOSE, ACETATE}
    around = states(culture, [gone[GLUCOSE] - 1e-4, gone[GLUCOSE] + 1e-4])
    assert around[0, 1] > 0.01 * 0.015 > around[1, 1]
    assert when["starvation"] > gone[GLUCOSE]
    first = run.events[0]
    assert first.kind == "limitation"
    assert GLUCOSE in first.words
    assert [item.time for item in run.events] == sorted(item.time for item in run.events)


def test_a_run_speaks_chinese() -> None:
    from seedtrain.base import use_language

    with use_language("zh"):
        run = simulate_reactor(batch(maintenance=8.39), HOURS)
    assert any("已耗尽" in item.words for item in run.events)


def test_the_run_is_like_any_other() -> None:
    run = simulate_reactor(batch(track=None), HOURS, vessel="bench")
    assert run.origin == "simulated"
    assert (run.culture, run.vessel, run.unit_procedure) == ("e_coli_core", "bench", "batch")
    assert run.variables["X"].unit == "g/L"
    assert run["S"][0] == pytest.approx(10.0)
    assert run["A"].max() == pytest.approx(26.264 * 60.052 / 1000, abs=1e-3)
    assert run["OUR"] == pytest.approx(-run[f"q:{OXYGEN}"] * run["X"])
    assert run["mu"][0] == pytest.approx(float(table().evaluate([9.9973, 15, 0, 12, 0]).growth), rel=1e-4)
    from seedtrain.simulation import Run

    again = Run.from_data(run.to_data())
    assert np.array_equal(again["X"], run["X"])
    assert {item.name for item in run.parameters} >= {f"{GLUCOSE}.q_max", "k_d", "X.initial"}


def test_a_trajectory_that_leaves_the_box_says_so() -> None:
    culture = batch()
    with pytest.raises(TrajectoryError, match=r"left the box.*EX_glc__D_e 13\.") as caught:
        simulate_reactor(culture, HOURS, parameters={f"{GLUCOSE}.q_max": 14.0})
    assert caught.value.time == 0.0
    assert caught.value.last["X"] == 0.1
    assert "outside='solve'" in caught.value.remedy
    later = integrate(
        culture, culture.vector({f"{ACETATE}.q_max": 9.0})[None], 0.0, HOURS, settings=DynamicSettings(rtol=1e-6)
    )
    assert later.status[0] == 2
    assert 1.0 < later.reached[0] < 10.0
    after = later.states[0][later.reached[0] < HOURS]
    assert len(after) > 0
    assert (after == after[0]).all(), "from there on its last good state stands"
    assert np.isfinite(later.states).all()


def test_outside_the_box_the_programme_goes_on() -> None:
    own = compile_metabolism("textbook", moving=five())
    culture = batch()
    wide = reactor(own, culture.kinetics, {"X": 0.1, GLUCOSE: 55.0}, track=())
    settings = DynamicSettings(outside="solve")
    found = states(wide, HOURS, settings, **{f"{GLUCOSE}.q_max": 14.0})
    exact = lp_route_of(wide, {f"{GLUCOSE}.q_max": 14.0})
    assert np.abs(found[-1] - exact[-1]).max() < 1e-4


def lp_route_of(culture, changes):
    from dataclasses import replace

    uses = {name: replace(use, value=changes.get(name, use.value)) for name, use in culture.uses.items()}
    return lp_route(replace(culture, uses=uses), HOURS)


def test_a_lazy_table_gives_the_same_culture() -> None:
    lazy = compile_metabolism("textbook", moving=five(), lazy=True)
    assert isinstance(lazy, LazyTable)
    culture = batch(maintenance=8.39)
    other = reactor(lazy, culture.kinetics, {"X": 0.1, GLUCOSE: 10.0 / 180.156 * 1000.0}, track=())
    assert np.abs(states(other) - states(culture))[:, :2].max() < 1e-4
    assert 0 < lazy.solves < 40


def test_too_many_steps_and_hopeless_numbers_have_reasons() -> None:
    culture = batch()
    few = integrate(culture, culture.vector()[None], 0.0, HOURS, settings=DynamicSettings(most_steps=20))
    assert few.status[0] == 4
    assert 0 < few.reached[0] < 10
    with pytest.raises(TrajectoryError, match="more steps were needed"):
        simulate_reactor(culture, HOURS, settings=DynamicSettings(most_steps=20))
    mixed = dynamic_fba_ensemble(culture, HOURS, {f"{GLUCOSE}.q_max": [9.0, 14.0, 10.0]})
    assert mixed.status.tolist() == [0, 2, 0]
    assert "left the box" in mixed.reason(1)
    assert np.isfinite(mixed.states).all()


@pytest.mark.parametrize(
    ("kinetics", "initial", "words"),
    [
        ({}, {"X": 0.1}, "'EX_glc__D_e' has no kinetics"),
        ({"EX_x": Constant(1.0)}, {"X": 0.1}, "'EX_x', which is no moving bound"),
        ({GLUCOSE: Monod(10.0, 0.0)}, {"X": 0.1}, "EX_glc__D_e.K_S must be above zero"),
        ({GLUCOSE: Monod(-1.0, 0.1)}, {"X": 0.1}, "EX_glc__D_e.q_max -1 is below zero"),
        ({GLUCOSE: Monod(1.0, 0.1, "EX_bla_e")}, {"X": 0.1}, "no exchange 'EX_bla_e'"),
        ({GLUCOSE: Monod(1.0, 0.1)}, {}, "without cells"),
        ({GLUCOSE: Monod(1.0, 0.1)}, {"X": 0.1, "V": 2.0}, "'V', which is no state"),
    ],
)
def test_a_reactor_that_cannot_be_is_refused(kinetics, initial, words: str) -> None:
    rest = {} if not kinetics else {OXYGEN: Constant(15.0), "ATPM": Constant(0.0)}
    with pytest.raises(InputError) as caught:
        reactor(small(), Kinetics({**rest, **kinetics}), initial)
    assert words in str(caught.value)
    assert all(part.remedy for part in caught.value.parts)


def test_feeds_that_cannot_be_are_refused_at_once() -> None:
    kinetics = Kinetics({GLUCOSE: Monod(10.0, 0.1), OXYGEN: Constant(15.0), "ATPM": Constant(0.0)},
                        gas={"EX_bla_e": GasTransfer(1.0, 1.0)})  # fmt: skip
    feeds = [Feed(0.1, 5.0, 2.0, {"EX_no_e": 1.0}), Feed(0.1, 0.0, 2.0, {})]
    with pytest.raises(InputError) as caught:
        reactor(small(), kinetics, {"X": 0.1}, feeds=feeds)
    text = str(caught.value)
    for words in ("needs its volume", "ends at 2 h", "'EX_no_e'", "same name", "EX_bla_e"):
        assert words in text


def test_times_settings_and_names_are_checked() -> None:
    culture = batch()
    for times in ([], [1.0, 0.5], [-1.0], [np.nan]):
        with pytest.raises(InputError, match="times"):
            simulate_reactor(culture, times)
    with pytest.raises(InputError, match="no parameter 'mu_max'"):
        simulate_reactor(culture, HOURS, parameters={"mu_max": 1.0})
    with pytest.raises(InputError, match="no parameter 'mu_max'"):
        dynamic_fba_sensitivities(culture, HOURS, ["mu_max"])
    with pytest.raises(InputError, match="rtol"):
        DynamicSettings(rtol=0.0)
    with pytest.raises(InputError, match="no method"):
        DynamicSettings(method="euler")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="how many"):
        dynamic_fba_ensemble(culture, HOURS, {"k_d": Span(0, 1)})
    with pytest.raises(InputError, match="equally long"):
        dynamic_fba_ensemble(culture, HOURS, {"k_d": [0.0], "X.initial": [0.1, 0.2]})


def test_points_at_the_start_and_twice_are_given() -> None:
    found = states(batch(), [0.0, 0.0, 5.0, 5.0, 10.0])
    assert found[0, 0] == found[1, 0] == pytest.approx(0.1)
    assert (found[2] == found[3]).all()
    assert states(batch(), [0.0]).tolist()[0][0] == 0.1
