"""Inner loops as generated scalar Python, compiled by numba and kept on disk.

The text of a kernel is made for one structure (how many bounds move, which kinetics they have, which states there are)
with every sum written out, since a call with arrays costs more than finding a region. Modules that hold generated text
are imported inside functions only, as numba takes a while to import.
"""
