import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from auricle.families.auricle.ctc_words import ctc_words
from auricle.tokenizer import Tokenizer
from tests.asr.tiny import SENTENCES, tiny_tokenizer

FRAME = 0.04


def heard(path: list[int], probability: float = 0.8) -> Tensor:
    """Log-probabilities `(N, V)` of a head that is this sure of each frame's token."""
    rest = (1 - probability) / (tiny_tokenizer().vocab_size - 1)
    log_probs = torch.full((len(path), tiny_tokenizer().vocab_size), math.log(rest))
    log_probs[range(len(path)), path] = math.log(probability)
    return log_probs


def path_of(tokens: list[int], blanks: int = 2) -> list[int]:
    """Each token for one frame, blanks behind it."""
    return [frame for token in tokens for frame in (token, *[Tokenizer.blank_id] * blanks)]


@pytest.mark.parametrize("text", SENTENCES)
def test_words_stand_where_their_tokens_do(text: str) -> None:
    tokens = tiny_tokenizer().encode(text)
    words = ctc_words(heard(path_of(tokens)), tokens, tiny_tokenizer(), FRAME)
    assert [word.text for word in words] == text.split()
    begins = [3 * FRAME * place for place, token in enumerate(tokens) if _begins(token)]
    found = [word.start for word in words]
    assert found == pytest.approx(begins[-len(found) :])
    assert all(one.end <= other.start for one, other in pairwise(words))
    assert words[-1].end == pytest.approx(FRAME * (3 * len(tokens) - 2))


def _begins(token: int) -> bool:
    return tiny_tokenizer().begins_word(token)


def test_confidence_is_a_mean() -> None:
    tokens = tiny_tokenizer().encode("lazy dog")
    log_probs = heard(path_of(tokens))
    log_probs[0] = heard([tokens[0]], 0.4)[0]
    first, last = ctc_words(log_probs, tokens, tiny_tokenizer(), FRAME)
    assert last.confidence == pytest.approx(0.8)
    assert 0.4 <= first.confidence < 0.8


def test_what_does_not_fit_has_no_words() -> None:
    tokens = tiny_tokenizer().encode("lazy dog")
    log_probs = heard([Tokenizer.blank_id] * (len(tokens) - 1))
    assert ctc_words(log_probs, tokens, tiny_tokenizer(), FRAME) == ()
    assert ctc_words(log_probs, [], tiny_tokenizer(), FRAME) == ()
