"""What a teacher says of the training speech: corrected words, and what else it thought likely."""

from auricle.training.labels.correction import corrected
from auricle.training.labels.label import Label, read_labels
from auricle.training.labels.run import label

__all__ = ["Label", "corrected", "label", "read_labels"]
