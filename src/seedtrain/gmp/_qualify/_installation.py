"""Installation qualification: what is installed, whether it is what was published, and whether the machine bears it."""

from __future__ import annotations

import base64
import hashlib
import os
import platform
import stat
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Final

from seedtrain.base import digest
from seedtrain.gmp._qualify._bench import Bench, CheckOpenError, expect
from seedtrain.record import ledger_path, open_ledger
from seedtrain.report import chinese_font

PACKAGE: Final = "seedtrain"
LEAST_SQLITE: Final = ((3, 51, 3), (3, 50, 7), (3, 44, 6))
"""The first versions without the write-ahead-log reset bug: of the newest line, and of the two that got it back."""


def versions(bench: Bench) -> list[str]:
    """IQ-01."""
    found = {
        "seedtrain": metadata.version(PACKAGE),
        "python": platform.python_version(),
        "system": platform.platform(),
        "machine": platform.machine(),
    }
    bench.evidence["versions"] = found
    expect(tuple(int(part) for part in platform.python_version_tuple()[:2]) >= (3, 11), "Python is older than 3.11")
    return [f"{name} {text}" for name, text in found.items()]


def installed_files(bench: Bench) -> list[str]:
    """IQ-02: every file against the digest that the wheel's RECORD states (PEP 376, PEP 427).

    A working copy (an editable installation) has no RECORD: its files are compared with the commit that it stands on.
    """
    distribution = metadata.distribution(PACKAGE)
    root = Path(str(distribution.locate_file(PACKAGE)))
    listed = [item for item in distribution.files or () if item.hash and str(item).startswith(f"{PACKAGE}/")]
    if not listed:
        return _working_copy(bench, Path(__file__).parents[2])
    changed = [str(item) for item in listed if not _same(Path(str(item.locate())), item.hash)]
    known = {Path(str(item.locate())).resolve() for item in distribution.files or ()}
    added = [str(path.relative_to(root)) for path in _code(root) if path.resolve() not in known]
    expect(not changed, f"changed since it was published, or missing: {', '.join(changed[:5])}")
    expect(not added, f"not part of what was published: {', '.join(added[:5])}")
    digests = sorted(f"{item} {item.hash.value}" for item in listed if item.hash)
    found = digest(digests)
    bench.evidence["files"] = {"count": len(listed), "digest": found}
    return [f"{len(listed)} files as published, digest of their digests {found}"]


def _working_copy(bench: Bench, source: Path) -> list[str]:
    """The package's files against the commit of their working copy; without one nobody says what they should be."""
    found = digest({str(path.relative_to(source)): _sha256(path) for path in _code(source)})
    bench.evidence["files"] = {"digest": found}
    commit, blobs = _committed(source)
    if not blobs:
        raise CheckOpenError(
            f"this is an editable installation, whose files nobody published; their digest is {found}. "
            "Install the wheel to have them compared."
        )
    here = {str(path.relative_to(source)): _blob(path) for path in _code(source)}
    other = sorted(name for name in {*here, *blobs} if here.get(name) != blobs.get(name))
    if other:
        raise CheckOpenError(
            f"this working copy is not as committed: {', '.join(other[:5])}. Commit, or install the wheel.",
        )
    bench.evidence["files"] = {"count": len(here), "digest": found, "commit": commit}
    return [f"{len(here)} files of a working copy, as in commit {commit}; digest of their digests {found}"]


def _committed(source: Path) -> tuple[str, dict[str, str]]:
    """The commit that a working copy stands on, and git's digest of each file of `source` in it; nothing elsewhere."""

    def git(*words: str) -> str:
        command = ["git", "-C", str(source), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout  # noqa: S603

    try:
        commit = git("rev-parse", "HEAD").strip()
        rows = git("ls-tree", "-r", "-z", "HEAD", "--", ".").split("\0")
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return "", {}
    pairs = (row.partition("\t") for row in rows if row)
    return commit, {name: facts.split()[2] for facts, _, name in pairs}


def _blob(path: Path) -> str:
    """Git's digest of a file; of a link, that of what it says."""
    content = os.readlink(path).encode() if path.is_symlink() else path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _code(root: Path) -> Iterator[Path]:
    return (path for path in sorted(root.rglob("*")) if path.is_file() and "__pycache__" not in path.parts)


def _same(path: Path, stated: metadata.FileHash | None) -> bool:
    if stated is None or stated.mode != "sha256" or not path.is_file():
        return False
    found = base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).rstrip(b"=").decode("ascii")
    return found == stated.value


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def dependencies(bench: Bench) -> list[str]:
    """IQ-03."""
    try:
        from packaging.requirements import Requirement
    except ImportError:
        raise CheckOpenError(
            "versions cannot be compared without the package packaging: pip install packaging"
        ) from None
    found, faults = {}, []
    for text in metadata.requires(PACKAGE) or ():
        wanted = Requirement(text)
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": "gmp"}):
            continue
        try:
            version = metadata.version(wanted.name)
        except metadata.PackageNotFoundError:
            faults.append(f"{wanted.name} is missing")
            continue
        found[wanted.name] = version
        if not wanted.specifier.contains(version, prereleases=True):
            faults.append(f"{wanted.name} {version} is not {wanted.specifier}")
    bench.evidence["dependencies"] = found
    expect(not faults, "; ".join(faults))
    return [", ".join(f"{name} {version}" for name, version in sorted(found.items()))]


def sqlite(_bench: Bench) -> list[str]:
    """IQ-04."""
    import apsw

    text = apsw.sqlitelibversion()
    version = tuple(int(part) for part in text.split("."))
    sound = version >= LEAST_SQLITE[0] or any(version[:2] == least[:2] and version >= least for least in LEAST_SQLITE)
    expect(sound, f"SQLite {text} can lose committed data (write-ahead-log reset bug, fixed in 3.51.3)")
    return [f"SQLite {text} (apsw {apsw.apswversion()}), synchronous=FULL"]


def clock(bench: Bench) -> list[str]:
    """IQ-05: that the clock is synchronised is for the user to see to."""
    first, start = datetime.now(UTC), time.monotonic()
    time.sleep(0.02)
    second, span = datetime.now(UTC), time.monotonic() - start
    expect(abs((second - first).total_seconds() - span) < 0.5, "the wall clock does not run as time passes")
    built = datetime.fromtimestamp(Path(__file__).stat().st_mtime, UTC)
    expect(
        second >= built,
        f"the clock says {second:%Y-%m-%d %H:%M} UTC, before this software was installed ({built:%Y-%m-%d})",
    )
    lines = [f"{second:%Y-%m-%d %H:%M:%S} UTC; zone of the machine {time.strftime('%z')}"]
    if bench.record:
        with open_ledger(bench.record, create=False, read_only=True) as ledger:
            behind = ledger.clock_behind_s
        expect(behind <= 1.0, f"the clock stands {behind:.0f} s behind the ledger")
        lines.append("not behind the ledger")
    return lines


def disk(bench: Bench) -> list[str]:
    """IQ-06."""
    folder = bench.place()
    times = []
    for number in range(20):
        path = folder / f"file-{number}"
        content = os.urandom(4096)
        begin = time.perf_counter()
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        times.append((time.perf_counter() - begin) * 1000)
        os.replace(path, folder / "kept")
        expect((folder / "kept").read_bytes() == content, "what was flushed is not what is read back")
    times.sort()
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize // 2**20
    bench.evidence["disk"] = {
        "fsync_p50_ms": round(times[10], 3),
        "fsync_max_ms": round(times[-1], 3),
        "free_mib": free,
    }
    lines = [f"20 files of 4 KiB flushed: median {times[10]:.2f} ms, longest {times[-1]:.2f} ms; {free} MiB free"]
    if times[10] < 0.05:
        lines.append("this is faster than most disks are: check that the storage does not answer before it has stored")
    return lines


def fonts(_bench: Bench) -> list[str]:
    """IQ-07."""
    from seedtrain.report import Page, render_pdf

    expect(render_pdf(Page("A test of print", ())).startswith(b"%PDF-"), "no PDF could be made")
    found = chinese_font()
    if found is None:
        raise CheckOpenError("English prints; no Chinese font is installed: pip install 'seedtrain[chinese]'")
    return [f"English: fonts of the software; Chinese: {found}"]


def keys(bench: Bench) -> list[str]:
    """IQ-08: of the user's own ledger where there is one, else of a new one."""
    if bench.record:
        with open_ledger(bench.record, create=False, read_only=True) as ledger:
            folder = ledger.keys.folder
    else:
        with bench.ledger() as ledger:
            folder = ledger.keys.folder
    faults = []
    for path in (folder, *sorted(folder.rglob("*"))):
        seen = path.stat()
        secret = path.is_dir() or path.suffix in (".pem", ".sealed", ".name")
        if secret and seen.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            faults.append(f"{path.name} has the mode {stat.filemode(seen.st_mode)}")
        if seen.st_uid != os.getuid():
            faults.append(f"{path.name} belongs to somebody else")
    expect(not faults, "; ".join(faults[:5]))
    place = ledger_path(bench.record).name if bench.record else "a new ledger"
    return [f"keys of {place}: folder and files open to their owner only"]
