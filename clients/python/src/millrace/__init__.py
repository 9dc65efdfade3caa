"""Training sets and tables of a Millrace pipeline as pandas data frames."""

from millrace.catalog import Batch, Catalog
from millrace.errors import MillraceError
from millrace.training import training_set

__all__ = ["Batch", "Catalog", "MillraceError", "training_set"]
