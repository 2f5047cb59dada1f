"""What a run says in words exists in Chinese, so that whoever prints it can translate it."""

from __future__ import annotations

from seedtrain.base import translate, use_language
from seedtrain.simulation import Run, simulate
from tests.simulation import cases

QUICK = {"until: elapsed >= 5 h": "until: elapsed >= 1 h", "biomass >= 14 g/L": "biomass >= 5 g/L"}


def _runs() -> list[Run]:
    culture = cases.culture()
    starved = {**QUICK, "mineral-salts: 14 g/L, antifoam": "antifoam", "{ammonia-water: 0.9 kg/L}": "{water: 1 kg/L}"}
    slow = {
        **QUICK,
        "until: glucose <= 0.2 g/L\n            at_most: 20 h": "until: elapsed >= 19 h\n            at_most: 20 h",
    }
    return [
        cases.run(),
        simulate(culture, cases.tank(cooling_area=0.003), cases.recipe(QUICK)),
        simulate(culture, cases.tank(stirrer_speed=(50.0, 200.0), aeration=(0.1, 0.5)), cases.recipe(QUICK)),
        simulate(culture, cases.tank(stirrer_speed=(20.0, 60.0)), cases.recipe(QUICK)),
        simulate(culture, cases.tank(), cases.recipe(starved), initial={"NH": 3.0}),
        simulate(culture, cases.tank(), cases.recipe(slow)),
    ]


def test_the_words_of_variables_and_events_are_translated():
    kinds = set()
    with use_language("zh"):
        assert translate("the jacket holds the temperature again") != "the jacket holds the temperature again"
        for run in _runs():
            for variable in run.variables.values():
                assert translate(variable.words) != variable.words, variable.words
            for event in run.events:
                kinds.add(event.kind)
                if event.kind != "phase":  # its words are the phase's path
                    assert translate(event.words) != event.words, event.words
    assert kinds >= {
        "inoculation",
        "induction",
        "end",
        "at_most",
        "depleted",
        "nitrogen_limited",
        "oxygen_limited",
        "cooling_limited",
        "set_point_clamped",
        "flooding",
        "extrapolated",
    }
