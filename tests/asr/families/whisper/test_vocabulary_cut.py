"""A cut vocabulary writes all that the whole one writes, in tokens that both have."""

import json

import pytest

from auricle.families.family import VocabularyCut
from auricle.families.whisper.tokenizer import TIMESTAMPS, WhisperTokenizer
from auricle.families.whisper.vocabulary_cut import cut_vocabulary
from auricle_types.errors import InvalidOptionError
from tests.asr.tokenizer.unicode_lines import lines, short_vocabulary

MERGES = 300


@pytest.fixture(scope="module")
def cut() -> VocabularyCut[WhisperTokenizer]:
    return cut_vocabulary(short_vocabulary(), MERGES)


def test_text_comes_back(cut: VocabularyCut[WhisperTokenizer]) -> None:
    for line in lines(300):
        assert cut.tokenizer.spell(cut.tokenizer.encode(line)) == line


def test_words_are_the_longest_pieces_that_are_left(cut: VocabularyCut[WhisperTokenizer]) -> None:
    whole, sentence = short_vocabulary(), "the thing that another one wanted"
    tokens = cut.tokenizer.encode(sentence)
    assert len(tokens) > len(whole.encode(sentence))
    assert max(tokens) < 256 + MERGES
    assert whole.spell([cut.kept[token] for token in tokens]) == sentence


def test_uncut_it_has_the_same_tokens() -> None:
    whole = short_vocabulary()
    same = cut_vocabulary(whole, whole.end - 256)
    assert same.kept == tuple(range(whole.vocab_size))
    for line in lines(300, seed=1):
        assert same.tokenizer.encode(line) == whole.encode(line)


def test_marks_keep_their_names(cut: VocabularyCut[WhisperTokenizer]) -> None:
    whole = short_vocabulary()
    assert cut.tokenizer.end == 256 + MERGES
    assert cut.tokenizer.vocab_size == len(cut.kept)
    for name, token in whole.added.items():
        assert cut.kept[cut.tokenizer.added[name]] == token
    assert cut.kept[cut.tokenizer.timestamp_begin] == whole.timestamp_begin
    assert cut.tokenizer.multilingual


@pytest.fixture(scope="module")
def english() -> VocabularyCut[WhisperTokenizer]:
    """Of as many pieces as GPT-2's, most of which nobody says."""
    described = json.loads(short_vocabulary().serialized)
    count, vocab = 50_256, described["model"]["vocab"]
    vocab |= {f"piece {number}": number for number in range(len(vocab), count)}
    for number, mark in enumerate(described["added_tokens"], count):
        mark["id"] = number
    return cut_vocabulary(WhisperTokenizer(json.dumps(described).encode()), MERGES)


def test_english_alone_needs_no_languages(english: VocabularyCut[WhisperTokenizer]) -> None:
    assert not english.tokenizer.multilingual
    assert english.tokenizer.languages == {}
    assert english.tokenizer.vocab_size == 256 + MERGES + 8 + TIMESTAMPS
    assert english.tokenizer.special.suppressed


def test_merges_may_be_written_as_pairs() -> None:
    described = json.loads(short_vocabulary().serialized)
    merges = described["model"]["merges"]
    described["model"]["merges"] = [
        " ".join(each) if isinstance(each, list) else each.split(" ") for each in merges
    ]
    other = WhisperTokenizer(json.dumps(described).encode())
    expected = cut_vocabulary(short_vocabulary(), MERGES).tokenizer.serialized
    assert cut_vocabulary(other, MERGES).tokenizer.serialized == expected


@pytest.mark.parametrize("merges", [0, -1, 745])
def test_there_must_be_so_many(merges: int) -> None:
    with pytest.raises(InvalidOptionError, match="1 to 744 merges"):
        cut_vocabulary(short_vocabulary(), merges)
