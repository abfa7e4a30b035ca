"""A teacher's opinion in the tokens of a student with fewer of them."""

import torch

from auricle.families.whisper.vocabulary_cut import cut_vocabulary
from auricle.training.labels import Label, by_student
from auricle.training.labels.tokens import tokens_of
from tests.asr.tokenizer.unicode_lines import lines, short_vocabulary

WHOLE = short_vocabulary()
CUT = cut_vocabulary(WHOLE, 300).tokenizer
TEXT = "The other one wanted something, didn't he?"


def label(text: str) -> Label:
    """Of a teacher who thinks each token likely, and then END, or `!` where that is END."""
    tokens, places = tokens_of(text, WHOLE)
    second = torch.where(tokens == WHOLE.end, 0, WHOLE.end)
    log_probs = torch.tensor([0.9, 0.05]).log().expand(len(tokens), 2)
    return Label(text, tokens, places, torch.stack([tokens, second], 1), log_probs)


def test_places_are_bytes_of_the_text() -> None:
    for line in lines(50):
        tokens, places = tokens_of(line, WHOLE)
        assert int(places[-1]) == len(f" {line}".encode())
        assert int(tokens[-1]) == WHOLE.end


def test_of_the_same_vocabulary_nothing_changes() -> None:
    whole = label(TEXT)
    assert by_student(whole, WHOLE) is whole


def test_it_counts_where_both_have_the_same_token() -> None:
    whole, cut = label(TEXT), by_student(label(TEXT), CUT)
    assert len(cut.tokens) > len(whole.tokens)
    theirs = dict(zip(whole.places.tolist(), whole.tokens.tolist(), strict=True))
    for token, place, likely, log_probs in zip(
        cut.tokens.tolist(), cut.places.tolist(), cut.likely, cut.log_probs, strict=True
    ):
        same = theirs.get(place) == token or (token == CUT.end and theirs[place] == WHOLE.end)
        assert (int(likely[0]) == token and bool(log_probs[0].isfinite())) == same
        if place in theirs and token != CUT.end:
            assert int(likely[1]) == CUT.end


def test_tokens_that_the_student_lacks_have_no_probability() -> None:
    cut = by_student(label(TEXT), CUT)
    assert int(cut.likely.max()) <= CUT.end
    assert cut.log_probs.isinf().any()
    assert (cut.log_probs.exp().sum(dim=1) < 1).all()
