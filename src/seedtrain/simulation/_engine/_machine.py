"""From intermediate representation to machine code of this processor, kept in the cache, loaded without a compiler."""

from __future__ import annotations

import ctypes
import importlib
import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from seedtrain.base import UnavailableError, cache_folder, digest, digest_bytes, write_atomic

ENTRY: Final = "seedtrain_entry"
KEPT: Final = 500
"""Kernels in the cache; the oldest go first."""
_OUTSIDE: Final = (b"\0memset\0", b"\0memcpy\0", b"\0memmove\0")
_MAGIC: Final = b"seedtrain machine code 1\n"


@cache
def _llvm() -> Any:
    """LLVM by way of llvmlite (BSD-2-Clause), which numba stands on; imported when it is needed."""
    return importlib.import_module("llvmlite.binding")


@cache
def host() -> dict[str, Any]:
    """The processor: its name, its features, and how many float64 lanes its widest usable vector has."""
    llvm = _llvm()
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    features = llvm.get_host_cpu_features()
    lanes = 8 if features.get("avx512f") and features.get("avx512dq") else 4
    return {
        "name": llvm.get_host_cpu_name(),
        "features": features.flatten(),
        "lanes": lanes,
        "fused": bool(features.get("fma"))
        or "arm" in llvm.get_process_triple()
        or "aarch64" in llvm.get_process_triple(),
        "triple": llvm.get_process_triple(),
        "llvmlite": importlib.import_module("llvmlite").__version__,
    }


@cache
def engine_digest() -> str:
    """The digest of the engine's own text: machine code that another engine made is not used."""
    folder = Path(__file__).parent
    return digest([digest_bytes(path.read_bytes()) for path in sorted(folder.glob("*.py"))])


def _target() -> Any:
    """A new target machine: an execution engine takes the one that it is given."""
    known, llvm = host(), _llvm()
    target = llvm.Target.from_triple(known["triple"])
    # 512-bit vectors are wanted where a type says so; LLVM's own loops prefer 256 bits on some processors.
    features = known["features"] + (",-prefer-256-bit" if known["lanes"] == 8 else "")
    return target.create_target_machine(cpu=known["name"], features=features, opt=2, reloc="pic", codemodel="default")


def build(text: str, *, inlining: int = 225) -> bytes:
    """The object file of a module; with less `inlining` it is smaller and sooner there, and some percent slower."""
    llvm = _llvm()
    machine = _target()
    module = llvm.parse_assembly(text)
    module.triple = host()["triple"]
    module.data_layout = str(machine.target_data)
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    options.loop_vectorization = False
    options.slp_vectorization = False
    options.inlining_threshold = inlining
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    return bytes(machine.emit_object(module))


class Code:
    """Machine code in memory; `entry` takes the address of whole numbers."""

    def __init__(self, raw: bytes) -> None:
        llvm = _llvm()
        self._raw = raw  # may be read from where it lies
        empty = llvm.parse_assembly(f'target triple = "{host()["triple"]}"\n')
        # One block for code and constants: sections more than 2 GiB apart cannot be linked, and LLVM ends the process.
        # The block has no room for links to what lies outside, which `no-builtins` leaves us without.
        together = not any(name in raw for name in _OUTSIDE)
        self._engine = llvm.create_mcjit_compiler(empty, _target(), use_lmm=together)
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(raw))
        self._engine.finalize_object()
        address = self._engine.get_function_address(ENTRY)
        assert address, "the object has no entry"
        self.entry = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)(address)


def key_of(parts: Any) -> str:
    """The key of machine code that `parts` decide, on this processor and with this engine."""
    known = host()
    return digest(["machine code", parts, engine_digest(), known["llvmlite"], known["name"], known["features"]])[:40]


def _path(key: str) -> Path:
    return cache_folder("engine") / f"{key}.bin"


def store(key: str, raw: bytes, facts: dict[str, Any]) -> None:
    """Keep an object file and what belongs to it, `KEPT` of them at most; a cache that cannot be written is none."""
    head = json.dumps(facts, sort_keys=True).encode()
    body = len(head).to_bytes(8, "little") + head + raw
    try:
        path = _path(key)
        write_atomic(path, _MAGIC + digest_bytes(body).encode() + body)
        others = sorted(path.parent.glob("*.bin"), key=lambda item: item.stat().st_mtime)
        for old in others[:-KEPT]:
            old.unlink(missing_ok=True)
    except (OSError, UnavailableError):
        return


def recall(key: str) -> tuple[bytes, dict[str, Any]] | None:
    """What `store` kept, or nothing where it is absent or damaged."""
    try:
        whole = _path(key).read_bytes()
    except (OSError, UnavailableError):
        return None
    body = whole[len(_MAGIC) + 64 :]
    if not whole.startswith(_MAGIC) or digest_bytes(body).encode() != whole[len(_MAGIC) : len(_MAGIC) + 64]:
        return None
    size = int.from_bytes(body[:8], "little")
    return body[8 + size :], json.loads(body[8 : 8 + size])
