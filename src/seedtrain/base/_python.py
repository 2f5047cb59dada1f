"""Reading text in Python's grammar, from any thread."""

from __future__ import annotations

import ast
import threading
from typing import Literal, overload

_ONE_AT_A_TIME = threading.RLock()


@overload
def parse_python(text: str, mode: Literal["exec"] = "exec") -> ast.Module: ...
@overload
def parse_python(text: str, mode: Literal["eval"]) -> ast.Expression: ...
def parse_python(text: str, mode: Literal["exec", "eval"] = "exec") -> ast.Module | ast.Expression:
    """`ast.parse`, one at a time; raises what that raises.

    CPython 3.11 keeps the depth of the tree under construction for the whole interpreter, so two threads that parse at
    once may fail with "AST constructor recursion depth mismatch" (seen with 3.11.7).
    """
    with _ONE_AT_A_TIME:
        found = ast.parse(text, mode=mode)
    assert isinstance(found, ast.Module | ast.Expression)
    return found
