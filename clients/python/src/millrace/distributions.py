"""How values are distributed, as the manifest of a model has it (`distribution.ts` of the npm package): small, and of no single row."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pandas as pd

DECILES = 9
CATEGORIES_MAX = 50
# They are run at each cold start.
GOLDEN_ROWS = 32

Distribution = dict[str, Any]


def distribution(values: pd.Series[Any], kind: str) -> Distribution:
    """Of numbers their deciles, of flags and texts how often each of the most frequent ones is there."""
    there = values.dropna()
    counted = {"count": len(values), "missing": len(values) - len(there)}
    if len(there) == 0:
        return {"kind": "empty", **counted}
    if kind == "number":
        numbers = there.to_numpy(dtype=np.float64)
        # The greatest value that is there and not above, so that a decile of counts is a count.
        deciles = np.quantile(numbers, np.arange(1, DECILES + 1) / (DECILES + 1), method="inverted_cdf")
        return {
            "kind": "number",
            **counted,
            "min": float(numbers.min()),
            "max": float(numbers.max()),
            "mean": float(numbers.mean()),
            "deciles": [float(each) for each in deciles],
            # Of a value that comes often a decile alone does not say how often.
            "atMost": [int((numbers <= each).sum()) for each in deciles],
        }
    texts = there.astype(bool).map({True: "true", False: "false"}) if kind == "flag" else there.astype(str)
    # By number and then by name: the same values are the same manifest.
    ranked = sorted(((str(text), int(count)) for text, count in texts.value_counts().items()), key=lambda each: (-each[1], each[0]))
    return {
        "kind": "category",
        **counted,
        "values": dict(ranked[:CATEGORIES_MAX]),
        "other": sum(count for _, count in ranked[CATEGORIES_MAX:]),
    }


def golden_rows(distributions: dict[str, Distribution], kinds: dict[str, str], seed: str) -> pd.DataFrame:
    """Rows that nobody has: each value drawn from its own column's distribution. First what is usual, all missing, least, most."""
    chance = random.Random(seed)
    columns = {}
    for name, each in distributions.items():
        drawn = [_draw(each, chance) for _ in range(GOLDEN_ROWS - 4)]
        values = [_at(each, 0.5), None, _at(each, 0.0), _at(each, 1.0), *drawn]
        columns[name] = _column(values, kinds[name])
    return pd.DataFrame(columns)


def usual(each: Distribution) -> float | str:
    """What stands for a missing value where a model does not take one: the median, or the most frequent."""
    found = _at(each, 0.5)
    return 0.0 if found is None else found


def _column(values: list[float | str | None], kind: str) -> pd.Series[Any]:
    if kind == "text":
        return pd.Series(values, dtype="object")
    if kind == "flag":
        return pd.Series([None if value is None else value == "true" for value in values], dtype="boolean")
    # What 32 bits can say, so that model and file are asked the same.
    return pd.Series([np.nan if value is None else float(np.float32(value)) for value in values], dtype="float64")


def _draw(each: Distribution, chance: random.Random) -> float | str | None:
    # Both are always drawn, so that a share that changes a little does not change every row after.
    is_missing, place = chance.random() * each["count"] < each["missing"], chance.random()
    return None if is_missing else _at(each, place)


def _at(each: Distribution, share: float) -> float | str | None:
    if each["kind"] == "empty":
        return None
    if each["kind"] == "category":
        return _category_at(each["values"], share)
    points = [each["min"], *each["deciles"], each["max"]]
    place = share * (len(points) - 1)
    below = min(int(place), len(points) - 2)
    value = points[below] + (points[below + 1] - points[below]) * (place - below)
    is_whole = all(float(point).is_integer() for point in points)
    return float(round(value)) if is_whole else float(f"{value:.6g}")


def _category_at(values: dict[str, int], share: float) -> str:
    left = share * sum(values.values())
    for name, count in values.items():
        left -= count
        if left <= 0:
            return name
    return list(values)[-1]
