"""The solver behind standard input and output: a line of JSON asks for a schedule, a line answers."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

from seedtrain.base import SeedtrainError, UnavailableError
from seedtrain.development._costing._gantt_plan import placed
from seedtrain.development._costing._timetable import Task


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """The schedule with the CPU s that it took, or why there is none."""
    start = time.process_time()
    tasks = [Task(**task) for task in question.pop("tasks")]
    try:
        found = placed(tasks, **question)
    except SeedtrainError as error:
        unavailable = isinstance(error, UnavailableError)
        return {"error": error.message, "remedy": error.remedy, "unavailable": unavailable}
    spent = time.process_time() - start
    return {"gantt": {**vars(found), "slots": [vars(slot) for slot in found.slots]}, "spent": spent}


def main() -> None:
    """Answer until the input ends; what libraries print does not reach the answers."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), file=out, flush=True)


if __name__ == "__main__":
    main()
