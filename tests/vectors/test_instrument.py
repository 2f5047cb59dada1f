"""Instruments' files become the tables of assays; the forms of plasmid DNA have intervals."""

import json
from importlib.util import find_spec

import numpy as np
import pytest

from seedtrain.base import InputError
from seedtrain.vectors import instrument_table, verify_assay

CFX = """,Well,Fluor,Target,Content,Sample,Biological Set Name,Cq,Cq Mean,Cq Std. Dev,Starting Quantity (SQ),\
Log Starting Quantity,SQ Mean,SQ Std. Dev,Set Point,Well Note
,A01,FAM,,Unkn,lot 7,,21.19,21.19,0,NaN,NaN,NaN,0,60,
,A02,FAM,,Unkn,lot 7,,21.25,21.25,0,NaN,NaN,NaN,0,60,
"""


def wrapped(kind, items):
    return {f"{kind} aggregate document": {f"{kind} document": [{"measurement aggregate document": {
        "measurement document": items}}]}}  # fmt: skip


def partitions(sample, positive, role="Sample Role"):
    return {
        "target DNA description": "ITR",
        "sample document": {"sample identifier": sample, "sample role type": role},
        "total partition count": {"value": 20_000, "unit": "#"},
        "processed data aggregate document": {
            "processed data document": [{"positive partition count": {"value": positive, "unit": "#"}}]
        },
    }


def injection(name, areas):
    peaks = [{"written name": form, "peak area": {"value": area, "unit": "mAU.s"}} for form, area in areas.items()]
    document = {"processed data document": [{"peak list": {"peak": peaks}}]}
    return {"sample document": {"sample identifier": name}, "processed data aggregate document": document}


def test_digital_pcr_of_an_instrument_gives_what_the_same_table_gives(tmp_path):
    path = tmp_path / "plate.json"
    items = [partitions("lot 7", 6000), partitions("lot 7", 6100), partitions("ntc", 2, "blank role")]
    path.write_text(json.dumps(wrapped("dPCR", items)))
    text = "name,target,role,positive,accepted\nlot 7,ITR,sample,6000,20000\nlot 7,ITR,sample,6100,20000\n"
    text += "ntc,ITR,blank,2,20000\n"
    assert instrument_table(path, "asm", "ddpcr") == text
    report = verify_assay("ddpcr", path, instrument="asm")
    assert report.estimates == verify_assay("ddpcr", text).estimates
    assert "read as asm" in report.verdict.evidence[0]


def test_the_instruments_own_concentration_gives_the_volume_of_its_partitions(tmp_path):
    """A plate with 0.432 nL partitions: read with the default of 0.85 nL its titres would be half of what it says."""
    path = tmp_path / "plate.json"
    item = partitions("lot 7", 2311)
    item["total partition count"]["value"] = 20_419
    item["processed data aggregate document"]["processed data document"][0]["number concentration"] = {"value": 278.04}
    unread = {**partitions("lot 7", 0), "total partition count": {"value": 0}}
    path.write_text(json.dumps(wrapped("dPCR", [item, partitions("lot 7", 0), unread])))
    assert instrument_table(path, "asm", "ddpcr").splitlines()[1:] == [
        "lot 7,ITR,sample,2311,20419,0.432",
        "lot 7,ITR,sample,0,20000,0.432",
    ]
    found = verify_assay("ddpcr", "positive,accepted,volume\n2311,20419,0.432\n").estimates[0]
    assert found.value == pytest.approx(278.04e3, rel=1e-3)


def well(place, sample, cycle, role="unknown sample role"):
    document = {"sample identifier": sample, "well location identifier": place, "sample role type": role}
    results = {} if cycle is None else {"cycle threshold result (qPCR)": {"value": cycle}}
    return {"sample document": document, "processed data aggregate document": {"processed data document": [results]}}


def test_a_layout_says_what_the_wells_hold(tmp_path):
    path, layout = tmp_path / "plate.json", tmp_path / "layout.csv"
    items = [well(f"A{step}", "std", 38 - 3.35 * step, "standard sample role") for step in range(2, 8)]
    items += [well("B01", "lot 7", 28.0), well("B2", "lot 7", 28.1), well("C1", "NTC", None, "control sample role")]
    path.write_text(json.dumps(wrapped("qPCR", [*items, well("H12", "elsewhere", 5.0)])))
    with pytest.raises(InputError, match="a standard without copies"):
        verify_assay("qpcr", path, instrument="asm")
    rows = [f"a{step:02},standard,{10**step},\n" for step in range(2, 8)]
    rows += ["B1,,,50\n", "B2,,,50\n", "C1,,,\n"]
    layout.write_text("well,role,copies,dilution\n" + "".join(rows))
    report = verify_assay("qpcr", path, instrument="asm", layout=layout)
    (found,) = report.estimates  # the well that the layout does not name is left out
    assert found.name == "lot 7"
    assert found.value == pytest.approx(50 * 10 ** (9.95 / 3.35), rel=1e-6)
    assert report.verdict.verdict == "pass"
    assert "wells by layout.csv" in report.verdict.evidence[0]
    for text, words in (
        ("well,role\nZ9,blank\n", "holds nothing of Z9"),
        ("well,role\nA1,blank\nA01,blank\n", "stands twice"),
        ("well,role\nA1\n", "1 cells under 2 heads"),
        ("role\nblank\n", "no column 'well'"),
        ("well,colour\nA2,red\n", "'colour' is unknown"),
    ):
        layout.write_text(text)
        with pytest.raises(InputError, match=words):
            verify_assay("qpcr", path, instrument="asm", layout=layout)
    with pytest.raises(InputError, match="a layout is for"):
        verify_assay("qpcr", "role\n", layout=layout)


def test_a_plate_reader_gives_responses_and_the_layout_the_doses(tmp_path):
    path, layout = tmp_path / "plate.json", tmp_path / "layout.csv"
    doses = 2.0 ** np.arange(8)
    curve = [0.1 + 2 / (1 + (dose * factor / 10) ** -1.2) for factor in (1.0, 0.9) for dose in doses]
    places = [f"{row}{column}" for row in "AB" for column in range(1, 9)]
    signals = [
        {"sample document": {"location identifier": place}, "absorbance": {"value": signal + 1e-3 * (index % 3)}}
        for index, (place, signal) in enumerate(zip(places, curve, strict=True))
    ]
    path.write_text(json.dumps(wrapped("plate reader", signals)))
    with pytest.raises(InputError, match="--layout"):
        verify_assay("elisa", path, instrument="asm")
    held = [(name, dose) for name in ("reference", "lot 7") for dose in doses]
    lines = [f"{place},{name},{dose:g}\n" for place, (name, dose) in zip(places, held, strict=True)]
    layout.write_text("well,sample,dose\n" + "".join(lines))
    (found,) = verify_assay("elisa", path, instrument="asm", layout=layout).estimates
    assert found.value == pytest.approx(0.9, abs=0.01)


def test_peaks_of_a_chromatogram_give_the_supercoiled_share(tmp_path):
    path = tmp_path / "run.json"
    areas = {"ccc DNA": 92.0, "Open circular": 6.0, "linear form": 1.0, "dimer, ccc-free": 1.0}
    items = [injection("P-1", {**areas, "ccc DNA": 92.0 + step}) for step in (-0.5, 0.0, 0.5)]
    path.write_text(json.dumps(wrapped("liquid chromatography", items)))
    report = verify_assay("topology", path, instrument="asm", limit=">= 80 %")
    supercoiled = report.estimates[0]
    assert (supercoiled.name, report.verdict.verdict) == ("supercoiled", "pass")
    assert supercoiled.value == pytest.approx(92.9, abs=0.2)  # a dimer whose name holds ccc counts as supercoiled


def test_the_interval_of_the_supercoiled_share_holds_95_percent():
    rng = np.random.default_rng(8)
    held = 0
    for _each in range(400):
        shares = 1 / (1 + np.exp(-(np.log(0.9 / 0.1) + rng.normal(0, 0.15, 4))))
        rows = [f"{lane},supercoiled,{share}\n{lane},open circular,{1 - share}\n" for lane, share in enumerate(shares)]
        found = verify_assay("topology", "lane,form,area\n" + "".join(rows)).estimates[0]
        held += found.low <= 90 <= found.high
    assert 0.92 <= held / 400 <= 0.98


def test_one_lane_is_inconclusive_a_missing_form_fails_and_factors_count():
    one = verify_assay("topology", "form,area\nsupercoiled,95\nlinear,5\n", limit=">= 80 %")
    assert one.verdict.verdict == "inconclusive"
    lanes = "lane,form,area,factor\n" + "".join(f"{n},supercoiled,80,2\n{n},open circular,40,1\n" for n in range(3))
    assert verify_assay("topology", lanes).estimates[0].value == pytest.approx(80.0)
    wider = verify_assay("topology", lanes, settings={"factor_cv": "10%"}).estimates[0]
    assert wider.low < 79 < 81 < wider.high
    missing = "lane,form,area\n1,supercoiled,80\n2,linear,80\n3,supercoiled,80\n"
    assert verify_assay("topology", missing).verdict.verdict == "fail"
    with pytest.raises(InputError, match="all areas"):
        verify_assay("topology", "form,area\nsupercoiled,0\n")


@pytest.mark.skipif(find_spec("allotropy") is None, reason="not installed: allotropy")
def test_a_vendors_own_file_is_read_through_allotropy(tmp_path):
    path = tmp_path / "cfx.csv"
    path.write_text(CFX)
    text = instrument_table(path, "cfxmaestro", "qpcr")
    assert text == "role,target,copies,cq,name\nunknown,FAM,,21.19,lot 7\nunknown,FAM,,21.25,lot 7\n"
    path.write_text("nothing of that kind\n")
    with pytest.raises(InputError, match="cannot read this as CFXMAESTRO"):
        instrument_table(path, "CFXMAESTRO", "qpcr")


def test_what_is_no_instruments_file_is_refused(tmp_path):
    path = tmp_path / "x.json"
    for raw, instrument, kind, words in (
        ("{", "asm", "qpcr", "not JSON"),
        ("{}", "asm", "qpcr", "no measurement"),
        ("{}", "asm", "tcid50", "not read for"),
        ("{}", "abacus", "qpcr", "knows no instrument|not installed"),
    ):
        path.write_text(raw)
        with pytest.raises(InputError, match=words):
            instrument_table(path, instrument, kind)
    with pytest.raises(InputError, match="no such file"):
        instrument_table(tmp_path / "none", "asm", "qpcr")
