"""The tables that only Millrace itself writes: others read them as what was computed, published or removed, and what writes them checks more
than a row. As the npm package's `reserved-tables.ts` has them."""

from __future__ import annotations

from millrace.errors import MillraceError

# Of all pipelines; the table is the model, or the pipeline.
DATABASES = ("models", "definitions", "operations", "removals")
# In the database of the pipeline, beside tables of the team: snapshots, the compacted stream and imports.
TABLES = ("users", "events", "imported_events")
# And its training sets.
TRAINING_PREFIX = "training_"


def refuse_reserved(db: str, table: str, pipeline: str) -> None:
    """Raises MillraceError `table-reserved`."""
    if db in DATABASES or (db == pipeline and (table in TABLES or table.startswith(TRAINING_PREFIX))):
        raise MillraceError(
            f"The table {db}.{table} is written by Millrace itself",
            code="table-reserved",
            next="Store into a table of your own; models are published by `millrace.publish`.",
        )
