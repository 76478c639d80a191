"""What came of an answer, as a file of plain arrays: written where strangers' code runs, read where it does not."""

import json
import os
import stat
import zipfile

import numpy as np

from ravine.exercises import _compare

LARGEST = 64 * 2**20  # bytes of a file


def save(path, outputs=(), **facts):
    """Write an answer's outputs, `_compare.plain` values, and facts that JSON can hold. Never half a file."""
    arrays = []
    facts["outputs"] = [_tree(output, arrays) for output in outputs]
    part = path.with_suffix(".part")
    with open(part, "wb") as file:
        np.savez(file, facts=np.array(json.dumps(facts)), **{str(i): array for i, array in enumerate(arrays)})
    os.replace(part, path)


def load(path):
    """Return outputs and facts from a file that anybody may have written.

    Raises:
        Exception: of any kind, if it is not what `save` writes. It runs none of the file's contents.
    """
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("no regular file")
        with zipfile.ZipFile(file) as contents:
            if sum(entry.file_size for entry in contents.infolist()) > LARGEST:
                raise ValueError(f"more than {LARGEST} bytes")
        file.seek(0)
        with np.load(file, allow_pickle=False) as stored:
            facts = json.loads(str(stored["facts"]))
            outputs = [_value(tree, stored) for tree in facts.pop("outputs")]
    return outputs, facts


def _tree(value, arrays):
    """Return the structure of a plain value for JSON; its arrays are appended to `arrays`."""
    if value is None:
        return None
    if isinstance(value, dict):
        return {"dict": [[key if isinstance(key, (str, int)) else str(type(key)), _tree(entry, arrays)]
                         for key, entry in value.items()]}
    if isinstance(value, tuple):
        return {"tuple": [_tree(entry, arrays) for entry in value]}
    if isinstance(value, np.ndarray) and value.dtype.kind == "V":  # bfloat16 and the like, which files cannot hold
        try:
            value = value.astype(np.float64)
        except (TypeError, ValueError):
            value = _compare.Opaque(str(value.dtype))
    if isinstance(value, _compare.Opaque):
        return {"opaque": value.type_name}
    arrays.append(value)
    return {"array": len(arrays) - 1}


def _value(tree, stored):
    """Return the plain value that `_tree` made `tree` of."""
    if tree is None:
        return None
    (kind, content), = tree.items()
    if kind == "dict":
        return {key: _value(entry, stored) for key, entry in content}
    if kind == "tuple":
        return tuple(_value(entry, stored) for entry in content)
    return _compare.Opaque(str(content)) if kind == "opaque" else stored[str(content)]
