"""Cultures, vessels and unit operations, and the runs that they make.

What the room offers stands in `__init__.pyi`; each part is imported when it is first used, so that a cold start pays
for what it needs alone.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
