"""`seedtrain lot` from the delivery to the last gram, by the command line."""

import io
import json

import pytest

from tests.gmp_scenarios.journey import Journey
from tests.judges import needs

CSV = "Charge;Stoff;Menge;Lieferant;Verfall\nS-1;sugar;25 kg;Acme;31.01.2028\nS-2;sugar;10 kg;Acme;31.01.2028\n"
MAP = [
    item
    for name in ("lot=Charge", "material=Stoff", "quantity=Menge", "supplier=Lieferant", "expiry=Verfall")
    for item in ("--map", name)
]


@pytest.fixture
def shop(tmp_path):
    found = Journey(tmp_path)
    who = found.crew(store="warehouse", analyst="quality_control", qa="quality_assurance", operator="operator")
    file = tmp_path / "lots.csv"
    file.write_text(CSV, encoding="utf-8")
    return found, who, file


@needs("barcode", "ppf")
def test_a_lots_life_from_the_file_to_the_last_gram(shop, tmp_path):
    found, who, file = shop
    load = ("lot", "import", file, *MAP, "--dates", "DD.MM.YYYY")
    assert found.done(who["store"], *load) == {"fresh": ["S-1", "S-2"], "known": []}
    assert found.done(who["store"], *load) == {"fresh": [], "known": ["S-1", "S-2"]}
    one = (
        "lot",
        "receive",
        "W-1",
        "--material",
        "water",
        "--quantity",
        "5 L",
        "--supplier",
        "us",
        "--retest",
        "2027-01-01",
    )
    assert found.done(who["store"], *one)["fresh"]
    assert not found.done(who["store"], *one)["fresh"]
    assert [row["lot"] for row in found.done(None, "lot", "list", "--status", "quarantined")] == ["S-1", "S-2", "W-1"]
    use = ("lot", "consume", "S-1", "1.5 kg", "--batch", "B-1")
    assert "is quarantined" in found.signed(who["operator"], *use).words
    release = ("lot", "status", "S-1", "released", "--reason", "tested, R-1")
    assert "no test of its identity" in found.signed(who["qa"], *release).words
    test = (
        "lot",
        "test",
        "S-1",
        "identity",
        "conforms",
        "--limit",
        "= conforms",
        "--method",
        "FTIR",
        "--sample",
        "Q-1",
    )
    assert found.done(who["analyst"], *test)["state"] == "conforms"
    assert "may not do lot.decide" in found.signed(who["operator"], *release).words
    found.done(who["qa"], *release)
    assert found.done(who["operator"], *use, "--reference", "W-118")["remaining"] == "23.5"
    assert found.done(who["operator"], *use, "--reference", "W-118")["remaining"] == "23.5"
    assert (
        found.done(who["store"], "lot", "split", "S-1", "--part", "S-1a=500 g@cold", "--part", "S-1b=3 kg")["remaining"]
        == "20"
    )
    assert found.done(who["store"], "lot", "discard", "S-1b", "1 g", "--reason", "wet")["remaining"] == "2.999"
    assert found.done(who["store"], "lot", "merge", "S-1a", "S-1b", "--into", "S-3")["remaining"] == "3499"
    assert found.signed(who["store"], "lot", "ship", "S-3", "3.5 kg", "--to", "A").code == 2
    assert (
        found.done(who["store"], "lot", "ship", "S-3", "3.499 kg", "--to", "A", "--document", "D")["remaining"] == "0"
    )
    found.done(who["store"], "lot", "move", "S-1", "shelf 2", "--logger", "LOG-1")
    amended = (
        "lot",
        "amend",
        "S-1",
        "--set",
        "storage=2 to 8 degC",
        "--set",
        "gtin=9506000134352",
        "--reason",
        "letter",
    )
    assert found.done(who["qa"], *amended)["changed"]
    assert not found.done(who["qa"], *amended)["changed"]
    shown = found.done(None, "lot", "show", "S-1")
    assert (shown["location"], shown["stated"]["storage"], shown["faults"]) == ("shelf 2", "2 to 8 degC", [])
    assert shown["stock"]["passed_on"] == "3.5"
    assert [row["lot"] for row in found.done(None, "lot", "list", "--expiring", "2027-06-30")] == ["W-1"]
    _labels(found, tmp_path)
    assert found.run("record", "verify", found.record).code == 0


def _labels(found, folder):
    out = folder / "labels.pdf"
    said = found.done(None, "lot", "label", "S-1", "S-2", "--sheet", "a4-3x8", "--copies", 2, "--out", out)
    assert said["labels"] == 4
    assert out.read_bytes().startswith(b"%PDF")
    scanned = found.done(None, "lot", "scan", "]d2010950600013435210S-1", "--expect", "S-1")
    assert (scanned["lot"], scanned["status"], scanned["faults"]) == ("S-1", "released", [])
    refused = found.run("lot", "scan", "]d2010950600013435210S-1", "--expect", "S-2")
    assert refused.code == 2
    assert "lot S-2 is wanted" in refused.words
    for sheet, words in (("a9", "no sheet"), ("roll-50x25", "modules of")):
        answer = found.run("lot", "label", "S-1", "--sheet", sheet, "--bars", "--out", folder / "no.pdf")
        assert (answer.code, words in answer.words) == (2, True)
    assert not (folder / "no.pdf").exists()


def test_a_scanner_types_into_standard_input(shop, monkeypatch):
    found, who, file = shop
    found.done(who["store"], "lot", "import", file, *MAP, "--dates", "DD.MM.YYYY")
    monkeypatch.setattr("sys.stdin", io.StringIO("91S-2\r\n"))
    assert found.done(None, "lot", "scan", "--material", "sugar")["lot"] == "S-2"
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert "nothing was scanned" in found.run("lot", "scan").words


def test_a_faulty_file_names_each_place_and_receives_nothing(shop):
    found, who, file = shop
    file.write_text(CSV.replace("25 kg", "-25 kg").replace("S-2;", "S-1;"), encoding="utf-8")
    answer = found.signed(who["store"], "lot", "import", file, *MAP, "--dates", "DD.MM.YYYY")
    assert answer.code == 2
    places = {(item["line"], item["column"]) for item in answer.data["errors"]}
    assert places == {(2, 11), (3, 1)}
    assert all(item["remedy"] for item in answer.data["errors"])
    assert found.done(None, "lot", "list") == []


def test_what_people_read_is_in_their_language(shop):
    found, who, file = shop
    found.done(who["store"], "lot", "import", file, *MAP, "--dates", "DD.MM.YYYY")
    assert "2 lots" in found.said("lot", "list")
    assert "2 批" in found.said("lot", "list", "--lang", "zh")
    assert "came of S-1:" in found.said("lot", "where-used", "S-1")
    assert "S-1 的去向" in found.said("lot", "where-used", "S-1", "--lang", "zh")
    assert "0 lots and batches came of lot S-1" in found.said("lot", "recall", "S-1")
    assert "25 kg" in found.said("lot", "show", "S-1")
    found.done(who["qa"], "lot", "amend", "S-1", "--set", "contains=casein=bovine; salt=", "--reason", "declaration 3")
    assert "contains: casein=bovine; salt=\n" in found.said("lot", "show", "S-1")
    assert json.dumps(found.done(None, "lot", "trace", "S-1", "--to", "sources"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("lot", "receive", "X", "--material", "m", "--quantity", "x", "--supplier", "s"),
            "quantity: 'x' is not a number",
        ),
        (
            ("lot", "receive", "X", "--material", "m", "--quantity", "1 kg", "--supplier", "s"),
            "neither expiry nor retest",
        ),
        (("lot", "split", "S-1", "--part", "nonsense"), "is not NEW-ID=QUANTITY"),
        (("lot", "consume", "none", "1 kg", "--batch", "B"), "knows no lot 'none'"),
        (("lot", "consume", "W-9", "1 kg", "--batch", "W-9"), "W-9 is a lot of water, and no batch"),
        (("lot", "lift", "H-1", "--reason", "x"), "no open hold 'H-1'"),
        (("lot", "amend", "S-1", "--set", "colour=red", "--reason", "x"), "no field that can change"),
        (("lot", "hold", "none", "--reason", "x"), "knows no lot"),
    ],
)
def test_what_cannot_be_is_refused_with_a_remedy(tmp_path, words, said):
    found = Journey(tmp_path)
    who = found.crew(boss="administrator")
    all_roles = found.enrol(
        "Everybody", "warehouse", "quality_assurance", "quality_control", "operator", by=who["admin"]
    )
    water = ("--material", "water", "--quantity", "5 kg", "--supplier", "us", "--retest", "2099-01-01")
    found.done(all_roles, "lot", "receive", "W-9", *water)
    test = ("--limit", "= conforms", "--method", "IR", "--sample", "Q-1")
    found.done(all_roles, "lot", "test", "W-9", "identity", "conforms", *test)
    release = ("lot", "status", "W-9", "released", "--reason", "R-1")
    assert "the release of lot W-9 needs another person" in found.signed(all_roles, *release).words
    found.done(found.enrol("Another", "quality_assurance", by=who["admin"]), *release)
    answer = found.signed(all_roles, *words)
    assert answer.code == 2
    assert said in answer.words
    assert answer.data["errors"][0]["remedy"]
