"""Data from bench and pilot: tables, their mapping, what looks wrong in them, and the runs that they make."""

from seedtrain.development._data_check._check import Dataset, check_files, read_data, tables_of_folder
from seedtrain.development._data_check._draft import draft_mapping
from seedtrain.development._data_check._findings import Finding
from seedtrain.development._data_check._headers import split_header
from seedtrain.development._data_check._mapping import RunEntry
from seedtrain.development._data_check._spectra import SpectraTable
from seedtrain.development._data_check._table import Sheet, read_sheet, read_sheet_as_written

__all__ = [
    "Dataset",
    "Finding",
    "RunEntry",
    "Sheet",
    "SpectraTable",
    "check_files",
    "draft_mapping",
    "read_data",
    "read_sheet",
    "read_sheet_as_written",
    "split_header",
    "tables_of_folder",
]
