"""What stands below the integration: derivatives, functions of mathematics, factors, machine code and its cache."""

import json
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from seedtrain.base import cache_folder, parse_expression
from seedtrain.simulation._engine import System, compile_system
from seedtrain.simulation._engine import _compiled as door
from seedtrain.simulation._engine._factor import factor_text, plan, solve_lines
from seedtrain.simulation._engine._graph import Graph, read_text
from seedtrain.simulation._engine._lower import Unit
from seedtrain.simulation._engine._machine import Code, build, host, recall, store
from seedtrain.simulation._engine._results import aligned
from tests.simulation_engine.cases import DECAY, schedule
from tests.simulation_engine.reference import Plain

ENTRY = "def seedtrain_entry(a: PI) -> I:\n"


def call(code, *values):
    addresses = [item.ctypes.data if isinstance(item, np.ndarray) else item for item in values]
    arguments = np.array(addresses, dtype=np.int64)
    return code.entry(arguments.ctypes.data)


FUNCTIONS = """
    x = numbers_at(a[1])
    y = numbers_at(a[2])
    for i in range(a[0]):
        v = get(x, i)
        put(y, 5 * i, exp(v))
        put(y, 5 * i + 1, log(v))
        put(y, 5 * i + 2, power(abs(v), 0.37))
        put(y, 5 * i + 3, tanh(v))
        put(y, 5 * i + 4, sqrt(abs(v)))
    return 0
"""


@pytest.fixture(scope="module")
def values():
    rng = np.random.default_rng(5)
    special = [0.0, 1.0, 1e-310, np.inf, -np.inf, np.nan, -1.0, 710.0, -746.0, 0.5, 1.5, 0.9999999]
    x = np.concatenate(
        [rng.uniform(-4, 4, 1500), rng.uniform(-700, 700, 500), 10.0 ** rng.uniform(-300, 300, 500), special]
    )
    found = {}
    for lanes in (1, 8):
        unit = Unit(lanes, fused=host()["fused"])
        unit.add(ENTRY + FUNCTIONS, public=True)
        code = Code(build(unit.module()))
        given, out = aligned(len(x) // 8 * 8 + 8), aligned((len(x) // 8 * 8 + 8) * 5)
        given[: len(x)] = x
        call(code, len(given) // lanes, given, out)
        found[lanes] = out.reshape(-1, 5, lanes).transpose(1, 0, 2).reshape(5, -1)[:, : len(x)]
    return x, found


def test_mathematics_is_bit_for_bit_the_same_in_one_lane_and_in_eight(values):
    _, found = values
    assert np.array_equal(found[1], found[8], equal_nan=True)


def test_mathematics_is_right_to_a_few_units_in_the_last_place(values):
    x, found = values
    with np.errstate(all="ignore"):
        wide = x.astype(np.longdouble)
        exact = [np.exp(wide), np.log(wide), np.abs(wide) ** np.longdouble(0.37), np.tanh(wide), np.sqrt(np.abs(wide))]
        for name, ours, theirs in zip(("exp", "log", "power", "tanh", "sqrt"), found[1], exact, strict=True):
            theirs = theirs.astype(float)
            limit = 3e-13 if name == "power" else 8e-16  # of power: the error of y log x, up to 700 units of it
            normal = np.isfinite(theirs) & (np.abs(theirs) > 1e-300)
            assert np.abs(ours[normal] / theirs[normal] - 1).max() < limit, name
            assert np.array_equal(ours[np.isinf(theirs)], theirs[np.isinf(theirs)]), name
            assert np.array_equal(np.isnan(ours), np.isnan(theirs)), name


EXPRESSIONS = [
    "a*b/c + a**3 - b**(-2)",
    "exp(-a*b)*log(c + a**2) + tanh(a*c)",
    "sqrt(a**2 + 1)/(b + c**2) - (a + b)**1.5",
    "(b + 2)**(a*0.3) + c**0.37",
    "max(a, b, c) - min(a*b, c) + abs(a - c)",
    "a*b if a > c else exp(c)*b",
    "a/(b/(c/(a + 3)))",
    "-(a - b)*-(c - 2) + (-a)/b",
]


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_derivatives_agree_with_complex_steps(text):
    """The compiled Jacobian, first and mixed second derivatives by way of sensitivities of a system of this rate."""
    graph = Graph()
    symbols = {name: graph.input("y", i) for i, name in enumerate("abc")}
    node = read_text(graph, parse_expression(text).code, symbols)
    scope: dict[str, Any] = {"exp": np.exp, "log": np.log, "sqrt": np.sqrt, "tanh": np.tanh}
    scope |= {
        "abs": lambda z: z if z.real >= 0 else -z,
        "max": lambda *z: max(z, key=lambda item: item.real),
        "min": lambda *z: min(z, key=lambda item: item.real),
    }
    plain = text.replace("a > c", "a.real > c.real")
    points = np.random.default_rng(1).uniform(0.3, 2.5, (20, 3))
    for point in points:
        for i, name in enumerate("abc"):
            z = {other: complex(value) for other, value in zip("abc", point, strict=True)}
            z[name] += 1e-40j
            exact = eval(plain, {}, {**scope, **z}).imag / 1e-40  # noqa: S307
            found = evaluate(graph, graph.derivative(node, symbols[name]), point)
            assert found == pytest.approx(exact, rel=1e-11, abs=1e-13), (text, name, i)


def evaluate(graph, root, point):
    """A node's value, by the operations' own meaning."""
    operations: dict[str, Any] = {
        "add": lambda p, q: p + q,
        "sub": lambda p, q: p - q,
        "mul": lambda p, q: p * q,
        "inv": lambda p: 1 / p,
        "neg": lambda p: -p,
        "exp": np.exp,
        "log": np.log,
        "sqrt": np.sqrt,
        "tanh": np.tanh,
        "abs": abs,
        "power": lambda p, q: p**q,
    }
    known = {}
    for node in graph.order([root]):
        key = graph.keys[node]
        if key[0] == "number":
            known[node] = key[1]
        elif key[0] == "input":
            known[node] = point[key[2]]
        elif key[0] == "choose":
            left, right, then, other = (known[item] for item in key[2:])
            known[node] = (
                then
                if {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[key[1]]
                else other
            )
        else:
            known[node] = operations[key[0]](*(known[item] for item in key[1:]))
    return known[root]


@pytest.mark.parametrize("density", [0.15, 0.4, 1.0])
def test_sparse_factors_solve_what_dense_ones_do(density):
    rng = np.random.default_rng(2)
    n = 9
    mask = rng.uniform(size=(n, n)) < density
    J = np.where(mask, rng.normal(size=(n, n)), 0.0)
    p = plan(n, [(int(i), int(j)) for i, j in np.argwhere(mask)])
    unit = Unit(1)
    solve = [*solve_lines(p, "M[{index}]", "b[{index}]"), *(f"b[{i}] = x{i}" for i in range(n))]
    unit.add(factor_text(p, "{array}[{index}]", "{array}[{index}] = {value}", "D"))
    unit.add("\n    ".join(["def solve(M: P, b: P):", *solve]))
    body = "    bad = factor(numbers_at(a[0])[0], numbers_at(a[1]), numbers_at(a[2]))\n"
    unit.add(ENTRY + body + "    solve(numbers_at(a[2]), numbers_at(a[3]))\n    return whole(bad)\n", public=True)
    code = Code(build(unit.module()))
    right = rng.normal(size=n)
    for shift in (3.0, 40.0):
        b, entries, work = right.copy(), J[mask].copy(), np.zeros(p.size)
        assert call(code, np.array([shift]), entries, work, b) == 0
        assert b == pytest.approx(np.linalg.solve(shift * np.eye(n) - J, right), rel=1e-9, abs=1e-11)


def test_factors_as_loops_give_the_same_bits_as_written_out(own_cache, monkeypatch):
    from tests.simulation_engine import cases as problem

    item, times = problem.fed_batch_schedule(problem.fed_batch_numbers(9)), problem.fed_batch_times()[::20]
    seeds = problem.fed_batch_seeds()
    found = []
    for most in (10**9, 0):
        monkeypatch.setattr("seedtrain.simulation._engine._kernel.MOST_WRITTEN", most)
        monkeypatch.setenv("SEEDTRAIN_CACHE", str(own_cache / str(most)))
        door._kernel.cache_clear()
        compiled = compile_system(problem.fed_batch_system())
        found.append((compiled.run(item, times).states, compiled.run(item, times, seeds=seeds).states_by))
    assert np.array_equal(found[0][0], found[1][0])
    assert np.array_equal(found[0][1], found[1][1])


def test_a_small_pivot_is_told():
    p = plan(1, [(0, 0)])
    unit = Unit(1)
    unit.add(factor_text(p, "{array}[{index}]", "{array}[{index}] = {value}", "D"))
    unit.add(ENTRY + "    return whole(factor(2.0, numbers_at(a[0]), numbers_at(a[1])))\n", public=True)
    code = Code(build(unit.module()))
    assert call(code, np.array([2.0]), np.zeros(1)) == 1
    assert call(code, np.array([1.0]), np.zeros(1)) == 0


def test_everything_that_an_expression_may_hold_agrees_with_plain_python():
    rng = np.random.default_rng(4)
    system = System(
        "all", ("x", "z"), ("k",), (("h", "k + 1"),), (("u", "x*z"), ("w", "h*u if x > z else u - k*t")),
        ("0.1*w - x + k", "tanh(u) - z*sqrt(1 + x**2)**0.5"), (("g", "w - 1"),), ("u", "w", "h", "x", "k"),
    )  # fmt: skip
    item = schedule(system, [0.4, 0.9], [0.7], 6.0, actions=[[1]])
    times = np.sort(rng.uniform(0, 6, 12))
    ours = compile_system(system).run(item, times, rtol=1e-9, atol=1e-11)
    theirs = Plain(system).run(item, times, rtol=1e-10, atol=1e-12, method="explicit", seeds=None)
    assert ours.observed == pytest.approx(theirs.observed, abs=1e-6)
    assert list(ours.crossings.of(0)["direction"]) == list(theirs.crossings.of(0)["direction"])


def test_the_inner_loops_are_vectors():
    """The lanes' step works on whole vectors: hardly a scalar operation is left in it."""
    from seedtrain.simulation._engine._kernel import kernel_text
    from seedtrain.simulation._engine._variant import Variant
    from tests.simulation_engine.cases import fed_batch_system

    lanes = host()["lanes"]
    text, _ = kernel_text(fed_batch_system(), Variant(lanes))
    for name in ("rates", "linearise", "factor", "solve", "step"):
        body = text[text.index(f"@{name}(") :]
        body = body[: body.index("\n}")]
        arithmetic = [
            line for line in body.splitlines() if any(f"= {op} " in line for op in ("fmul", "fadd", "fsub", "fdiv"))
        ]
        assert sum(f"<{lanes} x double>" in line for line in arithmetic) >= 0.9 * len(arithmetic), name


# -- the cache


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SEEDTRAIN_CACHE", str(tmp_path))
    door._kernel.cache_clear()
    yield tmp_path
    door._kernel.cache_clear()


def run_once():
    return compile_system(DECAY).run(schedule(DECAY, [1.0], [2.0], 1.0), [1.0]).states[0, 0, 0]


def test_a_kernel_is_kept_and_found_again(own_cache, monkeypatch):
    value = run_once()
    assert value == pytest.approx(np.exp(-2), rel=1e-5)
    door._kernel.cache_clear()
    monkeypatch.setattr("seedtrain.simulation._engine._kernel.make_kernel", lambda *_: pytest.fail("it is made again"))
    assert run_once() == value


@pytest.mark.parametrize("damage", [lambda raw: raw[:-50], lambda raw: raw[:200] + b"\0" + raw[201:], lambda raw: b""])
def test_a_damaged_kernel_is_made_again(own_cache, damage):
    value = run_once()
    (path,) = cache_folder("engine").glob("*.bin")
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    door._kernel.cache_clear()
    assert run_once() == value
    assert path.read_bytes()[:60] == whole[:60]


def test_a_cache_that_cannot_be_written_is_none(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("SEEDTRAIN_CACHE", str(tmp_path / "file"))
    door._kernel.cache_clear()
    assert run_once() == pytest.approx(np.exp(-2), rel=1e-5)
    door._kernel.cache_clear()


def test_the_oldest_kernels_go_first(own_cache, monkeypatch):
    monkeypatch.setattr("seedtrain.simulation._engine._machine.KEPT", 2)
    for number, key in enumerate("abc"):
        store(key, b"code", {})
        os.utime(cache_folder("engine") / f"{key}.bin", (number, number))
    store("d", b"code", {})
    assert {path.stem for path in cache_folder("engine").glob("*.bin")} == {"c", "d"}


def test_what_is_stored_comes_back_and_what_is_absent_does_not(own_cache):
    store("some", b"code", {"work": 3})
    assert recall("some") == (b"code", {"work": 3})
    assert recall("none") is None


COLD = """
import json, resource, sys
import seedtrain
from tests.simulation_engine.cases import fed_batch_numbers, fed_batch_schedule, fed_batch_system, fed_batch_times
from seedtrain.simulation._engine import compile_system
found = compile_system(fed_batch_system()).run(fed_batch_schedule(fed_batch_numbers(1)), fed_batch_times())
heavy = [name for name in ("sympy", "numba", "scipy") if name in sys.modules]
print(json.dumps([int(found.status[0]), heavy]))
"""


def test_a_warm_cache_needs_no_compiler(tmp_path):
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", COLD],
            env={**os.environ, "SEEDTRAIN_CACHE": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
            timeout=100,
        )
    status, heavy = json.loads(done.stdout)
    assert status == 0
    assert "sympy" not in heavy
