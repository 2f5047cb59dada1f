"""Every gram and every endotoxin unit is in exactly one stream, whatever the stream and the parameters."""

from __future__ import annotations

from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from seedtrain.simulation._downstream._operation import Carry, Settings
from seedtrain.simulation._downstream._train import OPERATIONS
from seedtrain.simulation._stream import StepResult, Stream
from tests.simulation_downstream.cases import check, factors, settings, streams

few = limits(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def _run(
    kind: str, stream: Stream, numbers: dict[str, float], words: dict[str, str], factor: dict[str, float]
) -> Carry:
    step, carry = OPERATIONS[kind].run(settings(kind, numbers, words, factor), Carry(stream, membrane_area=1.0))
    check(step)
    assert carry.stream == step.outlet
    return carry


@few
@given(streams(cells=True), st.floats(1e-10, 1e-6), st.floats(0.05, 1.0), factors("centrifuge"))
def test_centrifuge(stream: Stream, flux: float, packing: float, factor: dict[str, float]) -> None:
    _run("centrifuge", stream, {"flux": flux, "solids_fraction": packing, "temperature": 10.0}, {}, factor)


@few
@given(streams(cells=True), st.floats(10.0, 200.0), st.integers(1, 8), factors("homogenise"))
def test_homogeniser(stream: Stream, pressure: float, passes: int, factor: dict[str, float]) -> None:
    _run("homogenise", stream, {"pressure": pressure, "passes": passes, "temperature": 10.0}, {}, factor)


@few
@given(streams(cells=True), st.floats(2.0, 8.0), st.floats(0.1, 20.0), st.floats(0.0, 5.0), factors("precipitate"))
def test_precipitation(stream: Stream, pH: float, acid: float, hours: float, factor: dict[str, float]) -> None:
    numbers = {"pH": pH, "acid_fraction": acid, "residence_time": hours}
    _run("precipitate", stream, numbers, {"material": "acid"}, factor)


@few
@given(streams(cells=True), st.one_of(st.floats(1.0, 200.0).map(lambda x: ("biomass", x)), st.just(("fold", 4.0))))
def test_dilution(stream: Stream, target: tuple[str, float]) -> None:
    _run("dilute", stream, dict([target]), {"material": "buffer"}, {})


@few
@given(streams(cells=True), st.floats(1.0, 1000.0), st.floats(10.0, 1000.0), factors("depth_filter"))
def test_depth_filter(stream: Stream, load: float, flux: float, factor: dict[str, float]) -> None:
    _run("depth_filter", stream, {"load": load, "flux": flux}, {"filter": "depth-filter"}, factor)


@few
@given(streams(), st.floats(1.0, 1000.0), st.floats(10.0, 1000.0), factors("sterile_filter"))
def test_sterile_filter(stream: Stream, load: float, flux: float, factor: dict[str, float]) -> None:
    carry = _run("sterile_filter", stream, {"load": load, "flux": flux}, {"filter": "sterile-filter"}, factor)
    step, _ = OPERATIONS["integrity_test"].run(settings("integrity_test", {"minimum_bubble_point": 3.2}), carry)
    check(step)


@limits(few, max_examples=60)
@given(
    streams(cells=True),
    st.floats(5.0, 150.0),
    st.floats(0.5, 30.0),
    st.floats(0.5, 30.0),
    st.floats(0.2, 10.0),
    factors("load"),
    factors("wash"),
    factors("elute"),
)
def test_column_that_binds(
    stream: Stream,
    load: float,
    detergent: float,
    rinse: float,
    elution: float,
    loading: dict[str, float],
    washing: dict[str, float],
    eluting: dict[str, float],
) -> None:
    flow = {"velocity": 200.0}
    bed = {**flow, "bed_height": 0.2, "load": load, "volumes": 4.0}
    phases = [
        settings("equilibrate", bed, {"resin": "r", "material": "buffer"}),
        settings("load", flow, {}, loading),
        settings("wash", {**flow, "volumes": detergent}, {"material": "wash"}, washing),
        settings("wash", {**flow, "volumes": rinse}, {"material": "buffer"}, washing),
        settings("elute", {**flow, "volumes": elution}, {"material": "strong"}, eluting),
        settings("clean", {"volumes": 3.0, "contact_time": 1.0}, {"material": "alkali"}),
    ]
    _chain(stream, phases)


@few
@given(streams(), st.floats(5.0, 300.0), st.floats(20.0, 600.0), factors("flow_through"))
def test_column_that_lets_pass(stream: Stream, load: float, velocity: float, factor: dict[str, float]) -> None:
    bed = {"velocity": velocity, "bed_height": 0.2, "load": load, "volumes": 4.0}
    phases = [
        settings("equilibrate", bed, {"resin": "r", "material": "buffer"}),
        settings("flow_through", {"velocity": velocity}, {}, factor),
        settings("clean", {"volumes": 3.0, "contact_time": 1.0}, {"material": "alkali"}),
    ]
    _chain(stream, phases)


@few
@given(
    streams(),
    st.floats(1.0, 300.0),
    st.floats(1.0, 200.0),
    st.floats(0.1, 20.0),
    st.sampled_from(["buffer", "wash"]),
    factors("concentrate"),
)
def test_ultrafiltration(
    stream: Stream, cut_off: float, target: float, volumes: float, material: str, factor: dict[str, float]
) -> None:
    numbers = {"cut_off": cut_off, "load": 60.0, "flux": 30.0, "concentration": target, "transmembrane_pressure": 1.0}
    phases = [
        settings("concentrate", numbers, {"membrane": "m"}, factor),
        settings("diafilter", {"volumes": volumes, "flux": 25.0}, {"material": material}, factor),
    ]
    _chain(stream, phases)


@limits(few, max_examples=8)
@given(streams(), st.floats(0.3, 2.0), st.floats(0.2, 10.0))
def test_lyophilisation_and_fill(stream: Stream, depth: float, moisture: float) -> None:
    dry = {"fill_depth": depth, "shelf_temperature": 0.0, "chamber_pressure": 10.0, "residual_moisture": moisture}
    phases = [settings("lyophilise", dry), settings("fill", {"mass": 0.1, "loss": 0.5}, {"container": "vial"})]
    _chain(stream, phases)


def _chain(stream: Stream, phases: list[Settings]) -> list[StepResult]:
    carry = Carry(stream)
    steps: list[StepResult] = []
    for phase in phases:
        step, carry = OPERATIONS[phase.kind].run(phase, carry)
        check(step)
        before = steps[-1].outlet if steps else stream
        assert step.inlets[0] == before, step.path
        steps.append(step)
    return steps
