"""From lines to a language model."""

from collections.abc import Sequence

import numpy as np

from auricle.language_model import NGramModel
from auricle.tokenizer import Tokenizer
from auricle.training.language_model.counts import Packing
from auricle.training.language_model.kneser_ney import count, estimate
from auricle.training.language_model.lines import Line, as_tokens
from auricle.training.language_model.pruning import chosen
from auricle.training.language_model.trie import as_trie


def build(lines: Sequence[Line], tokenizer: Tokenizer, *, order: int, most: int) -> NGramModel:
    """The model of up to `order` tokens that keeps at most the `most` n-grams worth most.

    The same lines give the same model. Memory: about 40 bytes for each different n-gram of all
    orders, before pruning.

    Raises:
        InvalidOptionError: an order that does not go with the tokenizer, or no line is left.
    """
    packing = Packing.of(tokenizer.vocab_size, order)
    said = np.setdiff1d(np.arange(tokenizer.vocab_size), tokenizer.special.suppressed)
    text = as_tokens(lines, tokenizer)
    counted = count(text, order, packing)
    kept = chosen(counted, estimate(counted, packing, said), most)
    return as_trie(estimate(counted, packing, said, kept), tokenizer.vocab_size)
