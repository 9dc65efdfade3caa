"""What R has made now against what is kept: python compare_csv.py MADE KEPT. Coefficients and predictions must agree to 1e-6."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

DIFFERENCE_MAX = 1e-6

for name in ("coefficients.csv", "golden.csv"):
    made, kept = (pd.read_csv(Path(folder) / name) for folder in sys.argv[1:3])
    if list(made) != list(kept) or len(made) != len(kept):
        raise SystemExit(f"{name} has other rows or columns than the one that is kept")
    numbers = made.select_dtypes("number").columns
    if not np.allclose(made[numbers], kept[numbers], rtol=DIFFERENCE_MAX, atol=DIFFERENCE_MAX):
        raise SystemExit(f"{name} is not the one that is kept: make it again, or find out what R does otherwise")
    print(f"R makes {name} again, {len(made)} rows")
