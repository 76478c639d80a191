"""Measure and write `reference/performance.json`, which the page beside it shows: part of `make bench`.

Some parts only, as `python -m performance steps runs`, are measured and printed, and nothing is written.
"""

import datetime
import importlib
import importlib.metadata
import json
import os
import sys
import time
from pathlib import Path

import jax

from choosing.__main__ import machine

PARTS = ("steps", "runs", "curvature", "minimizers", "growth")
DATA = Path(__file__).parents[2] / "reference/performance.json"


def lines(value, indent=""):
    """Return JSON with a line for each row, so that changes can be read."""
    if isinstance(value, dict):
        inner = ",\n".join(f"{indent} {json.dumps(name)}: {lines(each, indent + ' ')}" for name, each in value.items())
        return f"{{\n{inner}\n{indent}}}"
    if isinstance(value, list) and value and isinstance(value[0], list):
        return "[\n" + ",\n".join(indent + " " + json.dumps(row, ensure_ascii=False) for row in value) + f"\n{indent}]"
    return json.dumps(value, ensure_ascii=False)


def main(names):
    """Measure these parts, all if none is named."""
    jax.config.update("jax_enable_compilation_cache", False)  # compiling is measured, too
    versions = {name: importlib.metadata.version(name) for name in ("optimistix", "matfree", "scipy")}
    made = {"date": datetime.date.today().isoformat(), **machine(), **versions, "load": round(os.getloadavg()[0], 1)}
    found = {"made": made, "aims": [], "tables": {}}
    for name in names or PARTS:
        start = time.perf_counter()
        part = importlib.import_module(f"performance.{name}").measure()
        found["aims"] += part.aims
        found["tables"] |= part.tables
        print(f"{name}: {time.perf_counter() - start:.0f} s", flush=True)
    text = lines(found) + "\n"
    if names:
        print(text)
    else:
        DATA.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
