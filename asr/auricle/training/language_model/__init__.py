"""A text's n-grams as a language model for the decoder: counted, smoothed, pruned, quantised."""

from auricle.training.language_model.lines import Line, read_lines
from auricle.training.language_model.perplexity import perplexity
from auricle.training.language_model.run import build

__all__ = ["Line", "build", "perplexity", "read_lines"]
