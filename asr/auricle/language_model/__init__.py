"""What is written in a language: an n-gram model over the acoustic model's tokens."""

from auricle.language_model.file import load_language_model, path_beside, save_language_model
from auricle.language_model.ngram import NGramModel, compile_now

__all__ = [
    "NGramModel",
    "compile_now",
    "load_language_model",
    "path_beside",
    "save_language_model",
]
