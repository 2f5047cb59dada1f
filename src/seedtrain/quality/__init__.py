"""Materials, lots, samples, specifications, results, and verdicts of three values.

What the room offers stands in `__init__.pyi`; each part is imported when it is first used, so that a command loads
what it needs alone.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
