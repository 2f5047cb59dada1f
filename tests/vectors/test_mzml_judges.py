"""mzML that psims (HUPO-PSI's writer) wrote is read as pyteomics reads it: neither was written here."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from seedtrain.vectors._species._mzml import MOST_PEAKS, _fragment_spectra
from tests.judges import needs


def write(path: Path, coding: dict[str, object], spectra: list[tuple[float, int, np.ndarray, np.ndarray]]) -> None:
    """An indexed mzML file: one MS1 spectrum, then MS2 spectra (precursor, charge, m/z, intensity)."""
    from psims.mzml.writer import MzMLWriter

    with MzMLWriter(str(path)) as out:
        out.controlled_vocabularies()
        out.file_description(["MS1 spectrum", "MSn spectrum"])
        out.software_list([{"id": "psims", "version": "1", "params": ["python-psims"]}])
        parts = [out.Source(1, ["electrospray ionization"]), out.Analyzer(2, ["quadrupole"])]
        parts.append(out.Detector(3, ["inductive detector"]))
        out.instrument_configuration_list([out.InstrumentConfiguration(id="IC1", component_list=parts)])
        method = out.ProcessingMethod(order=1, software_reference="psims", params=["Conversion to mzML"])
        out.data_processing_list([out.DataProcessing([method], id="DP1")])
        with out.run(id=1, instrument_configuration="IC1"), out.spectrum_list(count=len(spectra) + 1):
            first = (np.array([100.0, 200.0]), np.array([1.0, 2.0]))
            out.write_spectrum(*first, id="scan=1", params=[{"ms level": 1}, "MS1 Spectrum"], **coding)
            for number, (precursor, charge, places, heights) in enumerate(spectra, start=2):
                ion = {"mz": precursor, "intensity": 1.0, "charge": charge, "spectrum_reference": "scan=1"}
                ion["activation"] = ["beam-type collisional dissociation", {"collision energy": 27}]
                params = [{"ms level": 2}, "MSn Spectrum"]
                out.write_spectrum(
                    places, heights, id=f"scan={number}", params=params, precursor_information=ion, **coding
                )


@needs("psims", "pyteomics", "lxml")
@pytest.mark.parametrize("compression", ["zlib", "none"])
@pytest.mark.parametrize("encoding", [np.float32, np.float64])
def test_spectra_of_another_writer_are_read_as_another_reader_reads_them(tmp_path, compression, encoding) -> None:
    rng = np.random.default_rng(4)
    spectra = []
    for charge, size in ((1, 12), (2, MOST_PEAKS + 60), (3, 1)):
        places = np.sort(rng.uniform(100, 1500, size))
        spectra.append((float(rng.uniform(400, 900)), charge, places, rng.permutation(np.arange(size)) + 1.0))
    path = tmp_path / "fragments.mzML"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write(path, {"compression": compression, "encoding": encoding}, spectra)
        from pyteomics import mzml

        with mzml.MzML(str(path)) as reader:
            judged = [item for item in reader if item["ms level"] == 2]
    found = list(_fragment_spectra(path))
    assert len(found) == len(judged) == len(spectra)
    for (precursor, charge, peaks), theirs in zip(found, judged, strict=True):
        (ion,) = theirs["precursorList"]["precursor"][0]["selectedIonList"]["selectedIon"]
        assert (precursor, charge) == (ion["selected ion m/z"], ion["charge state"])
        highest = np.argsort(-theirs["intensity array"], kind="stable")[:MOST_PEAKS]
        assert peaks == sorted(float(place) for place in theirs["m/z array"][highest])
