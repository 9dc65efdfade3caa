"""Checks that can fail: a model that learns from noise, a leak that goes unseen, an ONNX file that says something else.

pytest test_train.py, with the path of a table of the first flights in LATE_ARRIVAL_TABLE; check.sh makes both.
"""

import os

import numpy as np
import pandas as pd
import pytest

import late_arrival

TRAINING_SHARE = 0.75


@pytest.fixture(scope="session")
def table() -> late_arrival.Table:
    return late_arrival.read_table(os.environ["LATE_ARRIVAL_TABLE"])


def auc_by_time(rows: pd.DataFrame, inputs: list[str]) -> float:
    """Trained on the first three quarters of the rows, measured on the last."""
    cut = int(len(rows) * TRAINING_SHARE)
    training, test = rows.iloc[:cut], rows.iloc[cut:]
    classifier = late_arrival.train(training, inputs)
    return late_arrival.auc(test, late_arrival.probabilities(classifier, test, inputs))


@pytest.fixture(scope="session")
def honest(table: late_arrival.Table) -> float:
    return auc_by_time(table.rows, table.inputs)


def test_rows_are_in_order_of_time(table: late_arrival.Table) -> None:
    assert table.rows["time"].is_monotonic_increasing


def test_the_model_is_better_than_the_route_s_own_rate(table: late_arrival.Table, honest: float) -> None:
    cut = int(len(table.rows) * TRAINING_SHARE)
    training, test = table.rows.iloc[:cut], table.rows.iloc[cut:]
    rates = training.groupby("user")["late"].mean()
    baseline = late_arrival.auc(test, test["user"].map(rates).fillna(training["late"].mean()))
    assert honest > baseline + 0.05


def test_shuffled_labels_teach_nothing(table: late_arrival.Table) -> None:
    labels = np.random.default_rng(0).permutation(table.rows["late"].to_numpy())
    shuffled = auc_by_time(table.rows.assign(late=labels), table.inputs)
    assert abs(shuffled - 0.5) < 0.02


def test_features_of_one_event_later_are_seen_as_a_leak(table: late_arrival.Table, honest: float) -> None:
    """The features of the route's next flight mostly know how late this one was: a table that leaked would look like this."""
    ahead = table.rows.copy()
    ahead[table.inputs] = table.rows.groupby("user")[table.inputs].shift(-1)
    assert auc_by_time(ahead, table.inputs) > honest + 0.1


def test_onnx_says_what_scikit_learn_says(table: late_arrival.Table) -> None:
    rows = table.rows.iloc[:100_000]
    classifier = late_arrival.train(rows, table.inputs)
    session = late_arrival.open_session(late_arrival.to_onnx_bytes(classifier, table.inputs))
    values = table.rows[table.inputs].to_numpy()
    # Routes that were never heard of have nothing but zeros and nulls.
    values = np.vstack([values, np.full((1, len(table.inputs)), np.nan, dtype=np.float32)])
    expected = classifier.predict_proba(values)[:, 1]
    assert np.abs(late_arrival.onnx_probabilities(session, values) - expected).max() < 1e-5
