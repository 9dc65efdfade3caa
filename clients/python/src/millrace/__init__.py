"""Training sets and tables of a Millrace pipeline as pandas data frames; models that were fitted on them, published and loaded."""

from millrace.batches import Batch
from millrace.catalog import Catalog
from millrace.errors import MillraceError
from millrace.loading import Model, load_model
from millrace.pseudonym import pseudonym
from millrace.publish import About, publish
from millrace.tables import history, load_dataframe, rollback, store_dataframe
from millrace.training import training_set

__all__ = [
    "About",
    "Batch",
    "Catalog",
    "MillraceError",
    "Model",
    "history",
    "load_dataframe",
    "load_model",
    "pseudonym",
    "publish",
    "rollback",
    "store_dataframe",
    "training_set",
]
