"""What a fitted model says itself, in 64 bits and in its own library: that is what its file must say, and what golden rows promise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from millrace.contract import ModelInput, ModelOutput, model_frame
from millrace.errors import MillraceError
from millrace.session import Session

# The maker computes in 64 bits what the runtime computes in 32; of large numbers as much in proportion.
TOLERANCE = 1e-5


class Fitted:
    """`fitted`: None where there is a file only, which is then its own witness."""

    def __init__(self, fitted: Any, outputs: list[ModelOutput], inputs: list[ModelInput]) -> None:
        self._fitted = fitted
        self._outputs = outputs
        self.inputs = inputs

    def answers(self, rows: pd.DataFrame, session: Session) -> pd.DataFrame:
        """By output; scores as `output.class`."""
        if self._fitted is None:
            return session.run(rows)[0]
        frame = model_frame(rows, self.inputs)
        given = frame if getattr(self._fitted, "feature_names_in_", None) is not None else frame.to_numpy()
        answers: dict[str, Any] = {}
        for output in self._outputs:
            if output.kind == "label":
                answers[output.name] = np.asarray(self._fitted.predict(given))
            elif output.kind == "scores":
                scores = self._fitted.predict_proba(given)
                answers |= {f"{output.name}.{each}": scores[:, index].astype(float) for index, each in enumerate(output.classes)}
            elif output.name == "probability":
                answers[output.name] = self._fitted.predict_proba(given)[:, 1].astype(float)
            else:
                answers[output.name] = np.ravel(self._fitted.predict(given)).astype(float)
        return pd.DataFrame(answers, index=rows.index)

    def takes(self, rows: pd.DataFrame, session: Session) -> bool:
        """Whether it takes rows in which all or some values are missing as they are, and the file says the same of them."""
        try:
            answers = self.answers(rows, session)
            said, refusals = session.run(rows)
        except MillraceError:
            raise
        except Exception:  # Each library has its own word for it.
            return False
        numbers = [name for name in answers if answers[name].dtype.kind in "fc"]
        return not refusals and all(
            # NaN is never close.
            np.allclose(said[name], answers[name], rtol=TOLERANCE, atol=TOLERANCE)
            for name in numbers
        )
