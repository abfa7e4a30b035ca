"""What a teacher says of the training speech: corrected words, and what else it thought likely."""

from auricle.training.labels.correction import corrected
from auricle.training.labels.label import Label, read_labels
from auricle.training.labels.run import label
from auricle.training.labels.tokens import by_student

__all__ = ["Label", "by_student", "corrected", "label", "read_labels"]
