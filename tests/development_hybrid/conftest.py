"""Studies that several tests look at, made once."""

from typing import NamedTuple

import pytest

from seedtrain.development import Fit, HybridStudy, MeasuredRun, culture_problem, fit_problem, hybrid_rate, hybrid_study
from seedtrain.simulation import culture_of_text
from tests.development_hybrid import strain


class Made(NamedTuple):
    """A study with what it was made from."""

    runs: list[MeasuredRun]
    found: Fit
    study: HybridStudy


FIT = ("q_S_max", "K_S", "Y_XS")


def made(folder, truth, names, form, keep=None) -> Made:
    """The study of a Monod culture's `form` on runs of `truth`."""
    runs = strain.batches(folder, truth, names)
    text = strain.text("monod")
    culture = culture_of_text(text, "monod")
    found = fit_problem(culture_problem(culture, runs, FIT), count=0, profiles=())
    return Made(runs, found, hybrid_study(text, culture, runs, found, FIT, [hybrid_rate(form)], keep=keep))


@pytest.fixture(scope="session")
def wrong_form(tmp_path_factory) -> Made:
    """Glucose inhibits, and the culture file does not know."""
    return made(tmp_path_factory.mktemp("wrong"), "inhibited", ("B1", "B2", "B3", "B4", "B5"), "q_S*=gp:S")
