"""What people read of a verdict is in their language; the verdict itself is not touched."""

import re

import numpy as np
import pytest

from seedtrain.base import use_language
from seedtrain.report import render_html
from seedtrain.vectors import (
    PANELS,
    assay_page,
    criterion_words,
    evidence_words,
    example_provirus,
    example_vector,
    panel_page,
    provirus_page,
    random_sequence,
    read_panel,
    simulate_genomes,
    simulate_proviruses,
    species_page,
    value_words,
    verify_assay,
    verify_genomes,
    verify_panel,
    verify_provirus,
    verify_species,
)
from tests.vectors.assay_draws import elisa_table, qpcr_table, tcid50_table

CHINESE = re.compile(r"[\u4e00-\u9fff]")
DROPLETS = (
    "name,target,role,positive,accepted\nA,ITR,sample,0,20000\nA,ITR,sample,3,20000\nA,ITR,sample,20000,20000\n"
    "B,ITR,sample,0,20000\n,ITR,blank,0,20000\n,ITR,control,500,20000\n"
)
SPIKED = "role,amount,spike,replicates,positive\ntest,10,0,30,0\nspiked,10,1,20,18\nnegative_control,0,0,5,0\n"
WELLS = "role,target,cq\n" + "sample,porcine,31\n" * 3 + "sample,bovine,22\nblank,porcine,\ncontrol,bovine,24\n"
PEAKS = "role,mz,intensity\nsample,1453.7,90\nsample,1100.2,100\nblank,900,10\n"
MARKERS = (
    "role,peptide,hydroxyprolines,charge,mz,fragments\nsample,GPTGPAGVR,0,2,406.225,155.08 252.13\n"
    "sample,GEPGPAGSVGPAGAVGPR,1,2,774.892,300 400\nsample,GRPGPPGPAGAR,2,2,700,\n"
)
LANES = "lane,form,area\n" + "".join(f"{lane},supercoiled,{90 + lane}\n{lane},linear,9\n" for lane in range(3))
FULL = "method,quantity,value\n" + "ddpcr-elisa,genomes,5e11\nddpcr-elisa,capsids,6e11\nauc,full,3\nauc,empty,1\n"


def verdicts():
    rng = np.random.default_rng(5)
    tables = {"ddpcr": DROPLETS, "qpcr": qpcr_table(rng), "tcid50": tcid50_table(rng), "elisa": elisa_table(rng)}
    tables |= {"absence": SPIKED, "full": FULL, "topology": LANES}
    for kind, text in tables.items():
        report = verify_assay(kind, text)
        yield report.verdict, lambda report=report: assay_page(report)
    for text in (WELLS, PEAKS, MARKERS):
        found = verify_species(text, lot="G-1")
        yield found.verdict, lambda found=found: species_page(found)
    panel = verify_panel(read_panel("aav"), "lot,attribute,value\nA,sterility,no growth\nA,colour,blue\n")
    yield panel.verdict, lambda: panel_page(panel)
    vector = example_vector(seed=1)
    lot = verify_genomes([read for read, _kind in simulate_genomes(vector, {"full": 3}, seed=1)], vector)
    yield lot.verdict, None
    provirus, host = example_provirus(seed=1), random_sequence(9000, rng)
    reads = [read for read, _kind, _at in simulate_proviruses(provirus, {"intact": 3, "open": 2}, host, seed=1)]
    clone = verify_provirus(reads, provirus)
    yield clone.verdict, lambda: provirus_page(clone)


@pytest.fixture(scope="module")
def found():
    return list(verdicts())


def test_every_line_of_evidence_has_its_chinese_and_keeps_its_numbers(found):
    # Names of files with their digests, and an assay's kind, are the same in every language.
    plain = re.compile(r"(\w+: )?\S+( in memory)?, SHA-256 [0-9a-f]{64}")
    for verdict, _page in found:
        for line in verdict.evidence:
            assert evidence_words(line) == line
            with use_language("zh"):
                shown = evidence_words(line)
            assert CHINESE.search(shown) or plain.fullmatch(line), line
            assert sorted(re.findall(r"\d+", shown)) == sorted(re.findall(r"\d+", line))


def test_names_values_and_limits_of_criteria_have_their_chinese(found):
    english = re.compile(r"[a-z]{2,}")
    unit = re.compile(r"[\d.e+-]* ?(copies(/mL)?|TCID50/mL|1/mL|none)")
    for verdict, _page in found:
        if any(line.startswith("panel ") for line in verdict.evidence):
            continue  # a panel's tests and words are its own
        for item in verdict.criteria:
            texts = [
                (value_words, str(item.value or "")),
                (value_words, item.limit or ""),
                (criterion_words, item.name),
            ]
            for words, text in texts:
                with use_language("zh"):
                    shown = words(text)
                bare = unit.sub("", text)
                # Names of samples stand as they are.
                assert CHINESE.search(shown) or not english.search(bare) or item.name == text == "u", (text, shown)


def test_pages_are_chinese_and_the_verdict_is_the_same(found):
    with use_language("zh"):
        again = list(verdicts())
        pages = [render_html(page()) for _verdict, page in again if page]
    assert [one.to_data() for one, _page in again] == [one.to_data() for one, _page in found]
    for words in ("全部合并计算", "未证明 LOD95", "前病毒", "限度来源", "批 G-1"):
        assert any(words in page for page in pages), words


def test_every_test_of_the_panels_has_its_chinese_name():
    for name in PANELS:
        for test in read_panel(name).tests:
            with use_language("zh"):
                words = [criterion_words(test.attribute), value_words(test.limit.text)]
            assert CHINESE.search(words[0]) or test.attribute in ("A260/A280", "pH", "p24"), test.attribute
            assert CHINESE.search(words[1]) or test.limit.word is None, test.limit.text
