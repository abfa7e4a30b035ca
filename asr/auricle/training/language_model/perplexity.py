"""How well a language model foresees a text."""

import math
from collections.abc import Iterable

from auricle.language_model import NGramModel
from auricle.tokenizer import Tokenizer


def log_prob(model: NGramModel, tokens: list[int]) -> float:
    """Of a line of tokens, END included, from its beginning on."""
    contexts, total = model.beginning(), 0.0
    for token in [*tokens, Tokenizer.end_id]:
        total += float(model.following(contexts)[0, token])
        contexts = model.extended(contexts, [0], [token])
    return total


def perplexity(model: NGramModel, tokenizer: Tokenizer, texts: Iterable[str]) -> float:
    """Per word, the end of each text counting as one; of texts that the tokenizer can spell."""
    total, words = 0.0, 0
    for text in texts:
        tokens = tokenizer.encode(text)
        if Tokenizer.unknown_id not in tokens:
            total += log_prob(model, tokens)
            words += len(text.split()) + 1
    return math.exp(-total / words) if words else math.nan
