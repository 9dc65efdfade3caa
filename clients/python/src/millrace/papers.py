"""What a model's papers say of how it came about: who, from which commit, by which script, with which libraries."""

from __future__ import annotations

import base64
import getpass
import hashlib
import importlib
import math
import platform
import subprocess
import sys
import zlib
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pandas as pd

from millrace.contract import Converted
from millrace.convert import plain
from millrace.errors import MillraceError
from millrace.stored_json import papers_json

# As many as people read; more are a hash.
COEFFICIENTS_MAX = 1_000
SCRIPT_BYTES_MAX = 1_048_576
Metrics = Mapping[str, "float | Mapping[str, float]"]


def now() -> str:
    return instant(pd.Timestamp(datetime.now(timezone.utc)))


def instant(time: pd.Timestamp) -> str:
    return time.tz_convert("UTC").strftime("%Y-%m-%dT%H:%M:%SZ")


def user() -> str:
    return getpass.getuser()


def git_commit(folder: Path) -> str | None:
    """With a + where files differ from it: it alone does not make the model again."""
    head = _git(folder, "rev-parse", "HEAD")
    if head is None:
        return None
    return f"{head}+" if _git(folder, "status", "--porcelain", "--untracked-files=no") else head


def _git(folder: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def running_script() -> Path | None:
    """The file that Python was started with, where it was one; a notebook or a shell has none."""
    said = getattr(sys.modules.get("__main__"), "__file__", None)
    path = None if said is None else Path(said)
    is_own = path is not None and path.suffix == ".py" and path.exists() and path.stat().st_size <= SCRIPT_BYTES_MAX
    # Of a tool such as pytest it would be the tool's.
    return path if is_own and path is not None and "site-packages" not in path.parts and path.name != "__main__.py" else None


def library_versions(modules: list[str]) -> dict[str, str]:
    """Under the names that people install them by."""
    names = {"sklearn": "scikit-learn"}
    found = {names.get(each, each): str(importlib.import_module(each).__version__) for each in [*modules, "pandas"]}
    return {"python": platform.python_version(), **dict(sorted(found.items()))}


def performance(metrics: Metrics | None) -> list[dict[str, Any]]:
    """`{"auc": 0.71}` or, by slice, `{"auc": {"2001-05": 0.73}}`."""
    listed = []
    for metric, value in (metrics or {}).items():
        for each, number in value.items() if isinstance(value, Mapping) else (("all", value),):
            try:
                plain = float(number)
            except (TypeError, ValueError):
                plain = math.nan
            if not math.isfinite(plain):
                raise MillraceError(
                    f"The metric {metric} is no number: {number!r}",
                    code="metrics-invalid",
                    next='Write {"auc": 0.71}, or {"auc": {"2001-05": 0.73}} by slice; leave out what was not measured.',
                )
            listed.append({"metric": metric, "slice": str(each), "value": plain})
    return listed


def final_values(converted: Converted) -> dict[str, Any] | None:
    """Coefficients where they are few; else a hash of all weights and thresholds in the file, in its order."""
    few = converted.coefficients
    if few and len(few) <= COEFFICIENTS_MAX:
        return {"zlibJson": base64.b64encode(zlib.compress(_json(few), 9)).decode()}
    import onnx

    graph = onnx.load_model_from_string(converted.onnx).graph
    values = [float(each) for node in graph.node for attribute in node.attribute for each in attribute.floats]
    values += [float(each) for tensor in graph.initializer if tensor.data_type == 1 for each in onnx.numpy_helper.to_array(tensor).ravel()]
    return {"sha256": hashlib.sha256(_json(plain(values))).hexdigest(), "count": len(values)} if values else None


def _json(value: Any) -> bytes:
    return papers_json(value, sort_keys=True, separators=(",", ":"))


def time_range(df: pd.DataFrame) -> dict[str, str]:
    """Raises MillraceError `time-missing`."""
    if "time" not in df.columns or not isinstance(df["time"].dtype, pd.DatetimeTZDtype) or df["time"].isna().all():
        raise MillraceError(
            'The training data has no column "time" with a time zone',
            code="time-missing",
            next="Keep the labels' columns user and time in it; they are no inputs.",
        )
    return {"from": instant(df["time"].min()), "to": instant(df["time"].max())}
