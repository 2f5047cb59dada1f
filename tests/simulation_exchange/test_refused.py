"""Files that are not taken: each fault is typed, names its line and element, and says what to do."""

from __future__ import annotations

import sys

import pytest

from seedtrain.base import InputError, UnavailableError
from seedtrain.simulation import read_sbml
from tests.simulation_exchange.small import box, event, math, parameter, reaction, read, rule, sbml, species

PACKAGE = "http://www.sbml.org/sbml/level3/version1"
DELAY = (
    '<apply><csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/delay"> delay </csymbol>'
    "<ci>x</ci><cn>1</cn></apply>"
)


def refused(tmp_path, text) -> InputError:
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    for part in caught.value.parts:
        assert part.position is not None
        assert part.position.file.endswith("small.xml")
        assert part.remedy
    return caught.value


def test_every_unsupported_feature_is_told_at_once_with_line_and_element(tmp_path):
    algebraic = f"<algebraicRule>{math('x - 1')}</algebraicRule>"
    delayed = f'<rateRule variable="y"><math xmlns="http://www.w3.org/1998/Math/MathML">{DELAY}</math></rateRule>'
    text = sbml(Parameters=parameter("x", "1") + parameter("y", "1"), Rules=f"{algebraic}\n{delayed}")
    error = refused(tmp_path, text)
    assert [part.position.line for part in error.parts if part.position] == [8, 16]
    assert "algebraicRule: algebraic rules are not supported" in str(error.parts[0])
    assert "rateRule of 'y': delay() is not supported" in str(error.parts[1])


def test_fast_reactions_are_refused(tmp_path):
    text = sbml(
        Compartments=box(),
        Species=species("S", 'initialAmount="1"'),
        Reactions=reaction("quick", {"S": "1"}, {}, "S"),
    )
    old = text.replace("version2/core", "version1/core").replace('version="2"', 'version="1"')
    old = old.replace('reversible="false"', 'reversible="false" fast="true"')
    assert "reaction 'quick': fast reactions are not supported" in str(refused(tmp_path, old))


@pytest.mark.parametrize(
    ("package", "required", "word"),
    [("comp", "true", "flat"), ("fbc", "false", "compile"), ("spatial", "true", "Core")],
)
def test_packages_that_change_a_trajectory_are_refused_and_say_what_to_do(tmp_path, package, required, word):
    text = sbml(Parameters=parameter("x", "1"))
    more = f'xmlns:{package}="{PACKAGE}/{package}/version1" {package}:required="{required}" level='
    error = refused(tmp_path, text.replace("level=", more, 1))
    assert f"the package {package!r} is not supported" in str(error)
    assert word in error.remedy


def test_a_package_for_drawing_changes_nothing(tmp_path):
    text = sbml(Parameters=parameter("x", "1"))
    more = f'xmlns:layout="{PACKAGE}/layout/version1" layout:required="false" level='
    assert read(tmp_path, text.replace("level=", more, 1)).id == "small"


def test_a_function_of_a_state_that_the_engine_lacks_is_refused_where_it_stands(tmp_path):
    text = sbml(Parameters=parameter("x", "1"), Rules=rule("rate", "x", "ceil(x)"))
    error = refused(tmp_path, text)
    assert "rateRule of 'x': ceiling() of something that changes" in str(error)
    assert error.position is not None
    assert error.position.line == 8


def test_a_quantity_without_a_value_is_told_when_it_is_needed(tmp_path):
    from seedtrain.simulation import simulate_sbml

    text = sbml(Parameters=parameter("x", "1") + "\n" + parameter("k"), Rules=rule("rate", "x", "-k * x"))
    model = read(tmp_path, text)
    with pytest.raises(InputError, match=r"small\.xml:6:1: parameter 'k' has no value"):
        simulate_sbml(model, [0.0, 1.0], integrator="plain")
    assert simulate_sbml(model, [0.0, 1.0], integrator="plain", values={"k": 0.0}).final("x") == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text[: len(text) // 2], "not XML"),
        (lambda text: "", "empty"),
        (lambda text: text.replace("<sbml", "<html").replace("</sbml", "</html"), "not <sbml>"),
        (lambda text: text.replace("small", "sm\u0000all"), "not XML"),
        (lambda text: text.replace('encoding="UTF-8"', 'encoding="UTF-16"'), "encoding"),
        (lambda text: text.replace("rateRule", "rateRuler"), "10102|10103|SBML rule"),
        (lambda text: text.replace("<ci> x </ci>", "<ci> unknown </ci>"), "SBML rule 10215"),
        (lambda text: text.replace(' version="2"', ' version="9"'), "SBML rule"),
    ],
)
def test_broken_files_are_typed_errors(tmp_path, change, words):
    text = sbml(Parameters=parameter("x", "1"), Rules=rule("rate", "x", "-x"))
    with pytest.raises(InputError, match=words):
        read(tmp_path, change(text))


def test_level_1_is_refused_with_a_way_out(tmp_path):
    text = '<sbml xmlns="http://www.sbml.org/sbml/level1" level="1" version="2"><model/></sbml>'
    assert "Level 1" in str(refused(tmp_path, text))


def test_entity_bombs_and_outside_entities_are_never_expanded(tmp_path):
    """Ten levels of ten entities would be 10^10 letters; an outside entity would read a file or ask the network."""
    bomb = "".join(f'<!ENTITY a{at} "{f"&a{at - 1};" * 10}">' for at in range(1, 11))
    for declaration in (f'<!DOCTYPE sbml [<!ENTITY a0 "lol">{bomb}]>', '<!DOCTYPE sbml SYSTEM "file:///etc/passwd">'):
        text = f"<?xml version='1.0'?>\n{declaration}\n<sbml>&a10;</sbml>"
        error = refused(tmp_path, text)
        assert "document type declaration" in str(error)
        assert error.position is not None
        assert error.position.line == 2


def test_nesting_and_size_have_limits(tmp_path):
    deep = "<apply>" * 100_000
    assert "nested" in str(refused(tmp_path, f"<sbml>{deep}"))
    path = tmp_path / "huge.xml"
    path.write_bytes(b"<sbml>" + b" " * (17 * 1024 * 1024))
    with pytest.raises(InputError, match="16 MiB"):
        read_sbml(path)


def test_functions_that_grow_without_bound_are_refused(tmp_path):
    """f20 written out has 2^20 terms."""

    def function(at: int) -> str:
        inner = f"f{at - 1}(a) + f{at - 1}(a)" if at else "a + 1"
        made = math(inner).replace('<math xmlns="http://www.w3.org/1998/Math/MathML">', "").replace("</math>", "")
        body = f"<lambda><bvar><ci>a</ci></bvar>{made}</lambda>"
        return f'<functionDefinition id="f{at}"><math xmlns="http://www.w3.org/1998/Math/MathML">{body}</math></functionDefinition>'

    text = sbml(
        FunctionDefinitions="\n".join(function(at) for at in range(21)),
        Parameters=parameter("x", "1"),
        Rules=rule("rate", "x", "f20(x)"),
    )
    assert "more than 500000 terms" in str(refused(tmp_path, text))


def test_text_that_is_not_utf8_and_missing_files(tmp_path):
    path = tmp_path / "small.xml"
    path.write_bytes(sbml(Parameters=parameter("x", "1")).replace("small", "schön").encode("latin-1"))
    with pytest.raises(InputError, match="not UTF-8"):
        read_sbml(path)
    with pytest.raises(InputError, match="no such SBML file"):
        read_sbml(tmp_path / "none.xml")
    with pytest.raises(InputError, match="folder"):
        read_sbml(tmp_path)


def test_without_libsbml_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "libsbml", None)
    path = tmp_path / "small.xml"
    path.write_text('<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2"><model/></sbml>')
    with pytest.raises(UnavailableError, match="python-libsbml") as caught:
        read_sbml(path)
    assert "seedtrain[sbml]" in caught.value.remedy


def test_an_event_with_its_own_unit_of_time_is_refused(tmp_path):
    text = sbml(
        level=2, Parameters='<parameter id="x" value="1" constant="false"/>', Events=event("time > 1", {"x": "2"})
    )
    old = text.replace("level2/version4", "level2").replace(' version="4"', ' version="1"')
    old = old.replace(' useValuesFromTriggerTime="true"', ' timeUnits="second"')
    old = old.replace(' initialValue="true" persistent="true"', "")
    assert "timeUnits" in str(refused(tmp_path, old))
