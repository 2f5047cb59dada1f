"""A file of very many short reads, and a command that judges it in a process of its own."""

import gzip
import json
import subprocess
import sys

import numpy as np

MILLION = 1_000_000
MOST_MIB = 500
BLOCK = 10_000


def written(path, sequence, count):
    """Short reads of both strands without errors, in blocks that repeat under new names; gzipped by the file's name."""
    rng = np.random.default_rng(5)
    text = sequence * 2
    turned = text[::-1].translate(str.maketrans("ACGT", "TGCA"))
    blocks = [
        "".join(
            f"@BLOCK{n}\n{(text if n % 2 else turned)[at : at + 150]}\n+\n{'F' * 150}\n"
            for n, at in enumerate(rng.integers(0, len(sequence), BLOCK).tolist())
        )
        for _block in range(10)
    ]
    packed = path.name.endswith(".gz")
    with gzip.open(path, "wb", compresslevel=1) if packed else path.open("wb") as stream:
        for number in range(count // BLOCK):
            stream.write(blocks[number % 10].replace("BLOCK", f"r{number}_").encode("ascii"))


def judged(words):
    """The command in a process of its own: its answer, its largest resident memory in MiB, its CPU seconds.

    The memory is that of its own address space: `ru_maxrss` holds that of the process that started it too.
    """
    code = (
        "import sys, time; from seedtrain.cli._verify import app; app(sys.argv[1:], result_action='return_value');"
        "lines = open('/proc/self/status').read().splitlines();"
        "kib = next(line.split()[1] for line in lines if line.startswith('VmHWM'));"
        "print(kib, time.process_time(), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], check=True, capture_output=True, text=True)
    kib, seconds = done.stderr.splitlines()[-1].split()
    return json.loads(done.stdout), int(kib) / 1024, float(seconds)
