"""Reading a genome-scale model from SBML, from JSON, or by the name of one that cobra ships."""

from __future__ import annotations

import gzip
import json
import logging
import zlib
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import scipy.sparse as sp

from seedtrain.base import InputError, Position, UnavailableError, digest_file
from seedtrain.simulation._metabolism import _store
from seedtrain.simulation._metabolism._network import LARGEST_FLUX, Edits, Network, check, edit, seal

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDINGS: Final = (".xml", ".xml.gz", ".sbml", ".sbml.gz", ".json")
LARGEST_FILE_BYTES: Final = 512 * 1024 * 1024
INSTALL: Final = "Install the group of packages for metabolic models: pip install 'seedtrain[metabolism]'."


def read_network(model: str | Path, edits: Edits | None = None) -> Network:
    """The metabolic model in a file (SBML or JSON), or one that cobra ships (`iJO1366`, `textbook`), after `edits`.

    A file is parsed once: its arrays are cached by the digest of its bytes. Raises `InputError` with file, line and
    reaction for what cannot be used, and `UnavailableError` where cobra is not installed.
    """
    path = locate(model)
    key = _store.key_of("network", digest_file(path))
    stored = _store.load(key)
    if stored is not None:
        network = _restore(str(path), *stored)
    else:
        network = seal(_convert(_parse(path), path))
        _store.save(key, *_dissolve(network))
    changed = edit(network, edits or Edits())
    check(changed)
    return changed


def locate(model: str | Path) -> Path:
    """The file of `model`: a path, or the name of a model that cobra ships."""
    text = str(model)
    path = Path(model)
    if text.lower().endswith(ENDINGS) or "/" in text or isinstance(model, Path):
        return _checked(path)
    folder = _shipped_folder()
    for ending in (".xml.gz", ".json"):
        if (folder / f"{text}{ending}").is_file():
            return folder / f"{text}{ending}"
    names = sorted({item.name.removesuffix(".xml.gz") for item in folder.glob("*.xml.gz")})
    raise InputError(
        f"there is no model {text!r}",
        remedy=f"Give the path of a file ({', '.join(ENDINGS)}) or one of: {', '.join(names)}.",
    )


def _checked(path: Path) -> Path:
    position = Position(str(path))
    if not path.name.lower().endswith(ENDINGS):
        remedy = f"Give a file that ends in one of: {', '.join(ENDINGS)}."
        raise InputError("this is not a metabolic model's file", position=position, remedy=remedy)
    if not path.is_file():
        raise InputError("there is no such model file", position=position, remedy="Check the path.")
    if path.stat().st_size > LARGEST_FILE_BYTES:
        raise InputError("the model is larger than 512 MiB", position=position, remedy="Give a smaller model.")
    return path


def _shipped_folder() -> Path:
    found = find_spec("cobra")
    if found is None or not found.submodule_search_locations:
        raise UnavailableError("metabolic models are read with cobra, which is not installed", remedy=INSTALL)
    return Path(found.submodule_search_locations[0]) / "data"


def _parse(path: Path) -> Any:
    _shipped_folder()
    position = Position(str(path))
    reader = _from_json if path.name.lower().endswith(".json") else _from_sbml
    try:
        with _quiet():
            found = reader(path)
    except json.JSONDecodeError as error:
        where = Position(str(path), error.lineno, error.colno)
        raise InputError(f"this is not JSON: {error.msg}", position=where, remedy="Export the model again.") from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"the model cannot be read: {error}", position=position, remedy="Check the file.") from None
    except Exception as error:  # noqa: BLE001  a reader of foreign files may fail in any way of its own
        words = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(
            f"this is not a metabolic model that cobra can read ({words[:200]})",
            position=position,
            remedy="Validate it (SBML level 3 with the fbc package, or cobra's JSON) and export it again.",
        ) from None
    if not found.reactions:
        raise InputError("the model has no reactions", position=position, remedy="Give a metabolic model.")
    return found


def _from_sbml(path: Path) -> Any:
    from cobra.io import read_sbml_model

    return read_sbml_model(str(path))


def _from_json(path: Path) -> Any:
    from cobra.io import model_from_dict

    raw = path.read_bytes()
    return model_from_dict(json.loads(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep cobra's remarks on a model (bounds, compartments) off the screen."""
    loggers = [logging.getLogger(name) for name in ("cobra", "cobra.io.sbml", "cobra.io.dict", "cobra.core.gene")]
    levels = [item.level for item in loggers]
    for item in loggers:
        item.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for item, level in zip(loggers, levels, strict=True):
            item.setLevel(level)


def _convert(model: Any, path: Path) -> Network:
    from cobra.util.solver import linear_reaction_coefficients

    rows = {item.id: number for number, item in enumerate(model.metabolites)}
    entries = [
        (rows[metabolite.id], column, float(value))
        for column, reaction in enumerate(model.reactions)
        for metabolite, value in reaction.metabolites.items()
    ]
    row, column, value = zip(*entries, strict=True) if entries else ((), (), ())
    shape = (len(model.metabolites), len(model.reactions))
    coefficients = {item.id: float(number) for item, number in linear_reaction_coefficients(model).items()}
    matrix = sp.csc_matrix((value, (row, column)), shape=shape, dtype=float)
    matrix.sort_indices()
    return Network(
        name=str(model.id or path.name),
        file=str(path),
        digest="",
        reactions=tuple(item.id for item in model.reactions),
        metabolites=tuple(item.id for item in model.metabolites),
        stoichiometry=matrix,
        lower=np.clip([float(item.lower_bound) for item in model.reactions], -LARGEST_FLUX, LARGEST_FLUX),
        upper=np.clip([float(item.upper_bound) for item in model.reactions], -LARGEST_FLUX, LARGEST_FLUX),
        objective=np.array([coefficients.get(item.id, 0.0) for item in model.reactions]),
        formulas=tuple(str(item.formula or "") for item in model.metabolites),
        rules=tuple(str(item.gene_reaction_rule or "") for item in model.reactions),
        charges=np.array([np.nan if item.charge is None else float(item.charge) for item in model.metabolites]),
    )


def _dissolve(network: Network) -> tuple[dict[str, Any], dict[str, Any]]:
    matrix = network.stoichiometry
    arrays = {
        "indptr": matrix.indptr,
        "indices": matrix.indices,
        "data": matrix.data,
        "lower": network.lower,
        "upper": network.upper,
        "objective": network.objective,
        "charges": network.charges,
    }
    data = {
        "name": network.name,
        "digest": network.digest,
        "reactions": list(network.reactions),
        "metabolites": list(network.metabolites),
        "formulas": list(network.formulas),
        "rules": list(network.rules),
    }
    return arrays, data


def _restore(file: str, arrays: dict[str, Any], data: dict[str, Any]) -> Network:
    shape = (len(data["metabolites"]), len(data["reactions"]))
    return Network(
        name=data["name"],
        file=file,
        digest=data["digest"],
        reactions=tuple(data["reactions"]),
        metabolites=tuple(data["metabolites"]),
        stoichiometry=sp.csc_matrix((arrays["data"], arrays["indices"], arrays["indptr"]), shape=shape),
        lower=arrays["lower"],
        upper=arrays["upper"],
        objective=arrays["objective"],
        formulas=tuple(data["formulas"]),
        rules=tuple(data["rules"]),
        charges=arrays["charges"],
    )
