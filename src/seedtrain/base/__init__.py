"""Errors, canonical bytes, expressions, files and the cache, positioned documents, messages in two languages."""

from seedtrain.base._canonical import (
    canonical_bytes,
    decimal_text,
    digest,
    digest_bytes,
    digest_file,
    signed_bytes,
)
from seedtrain.base._document import Document, Location, collect, load, parse_document, read_document, validate
from seedtrain.base._errors import (
    EXIT_BAD_INPUT,
    EXIT_DONE,
    EXIT_FAIL,
    EXIT_INCONCLUSIVE,
    EXIT_UNAVAILABLE,
    InputError,
    InputErrors,
    IntegrityError,
    Position,
    SeedtrainError,
    UnavailableError,
)
from seedtrain.base._expression import FUNCTIONS, Expression, is_symbol, parse_expression, unknown_names
from seedtrain.base._files import cache_folder, finite, read_text, write_atomic, write_json
from seedtrain.base._messages import LANGUAGES, language, translate, use_language
from seedtrain.base._packed import open_packed, read_packed
from seedtrain.base._progress import Progress, part, silent
from seedtrain.base._python import parse_python
from seedtrain.base._templates import retold
from seedtrain.base._worker import Worker

__all__ = [
    "EXIT_BAD_INPUT",
    "EXIT_DONE",
    "EXIT_FAIL",
    "EXIT_INCONCLUSIVE",
    "EXIT_UNAVAILABLE",
    "FUNCTIONS",
    "LANGUAGES",
    "Document",
    "Expression",
    "InputError",
    "InputErrors",
    "IntegrityError",
    "Location",
    "Position",
    "Progress",
    "SeedtrainError",
    "UnavailableError",
    "Worker",
    "cache_folder",
    "canonical_bytes",
    "collect",
    "decimal_text",
    "digest",
    "digest_bytes",
    "digest_file",
    "finite",
    "is_symbol",
    "language",
    "load",
    "open_packed",
    "parse_document",
    "parse_expression",
    "parse_python",
    "part",
    "read_document",
    "read_packed",
    "read_text",
    "retold",
    "signed_bytes",
    "silent",
    "translate",
    "unknown_names",
    "use_language",
    "validate",
    "write_atomic",
    "write_json",
]
