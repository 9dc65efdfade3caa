"""Commits of the Python client, as python-commits.ts asks for them: `commit.py STEPS`, a list in JSON. Prints what each ended with."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pandas as pd

import millrace

TYPES = {
    "user_id": "string",
    "visits30d": "int64",
    "spendTotal": "double",
    "isGift": "boolean",
    "seen": "timestamp",
    "raw": "json",
    "tags": "list<string>",
    "scores": "map<string,double>",
}
ROW = {
    "user_id": "u1",
    "spendTotal": 1.5,
    "isGift": True,
    "seen": pd.Timestamp("2001-06-30T00:00:00Z"),
    "raw": {"a": 1},
    "tags": ["x", None],
    "scores": {"churn": 0.5},
}


def commit(step: dict[str, Any]) -> str:
    where = (step["db"], step["table"], step["partitions"])
    common = {"who": "ana", "why": "a test", "pipeline": "shop"}
    try:
        if "to" in step:
            return str(millrace.rollback(*where, step["to"], **common)["batchId"])
        rows = [{**ROW, "visits30d": step["visits"], **step.get("more", {})}] * step.get("rows", 3)
        types = {**TYPES, **{name: "int64" for name in step.get("more", {})}}
        df = pd.DataFrame(rows, columns=list(types))
        options = {"columns": types, "partition_keys": step.get("partitionKeys"), "add_columns": "more" in step}
        return millrace.store_dataframe(df, *where, **options, **common).batch_id
    except millrace.MillraceError as error:
        return error.code


steps: list[dict[str, Any]] = json.loads(sys.argv[1])
if sys.argv[2:] == ["--at-once"]:
    with ThreadPoolExecutor(len(steps)) as pool:
        print(json.dumps(list(pool.map(commit, steps))))
else:
    print(json.dumps([commit(step) for step in steps]))
