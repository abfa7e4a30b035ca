import pytest
from hypothesis import given
from hypothesis import strategies as st

from auricle.tokenizer import Tokenizer
from auricle_types.errors import InvalidOptionError
from tests.asr.tiny import SENTENCES, VOCAB_SIZE, tiny_tokenizer

SPECIAL = (Tokenizer.blank_id, Tokenizer.start_id, Tokenizer.end_id, Tokenizer.unknown_id)
WORDS = sorted({word for sentence in SENTENCES for word in sentence.split()})


def test_special_ids_come_first() -> None:
    assert SPECIAL == (0, 1, 2, 3)


@pytest.mark.parametrize("vocab_size", [VOCAB_SIZE, 60])
def test_the_vocabulary_has_the_size_asked_for(vocab_size: int) -> None:
    assert tiny_tokenizer(vocab_size).vocab_size == vocab_size


@given(st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join))
def test_text_survives_the_round_trip(text: str) -> None:
    tokens = tiny_tokenizer().encode(text)
    assert tiny_tokenizer().decode(tokens) == text
    assert all(Tokenizer.unknown_id < token < VOCAB_SIZE for token in tokens)


def test_no_text_is_no_tokens() -> None:
    assert tiny_tokenizer().encode("") == []
    assert tiny_tokenizer().decode([]) == ""


def test_special_ids_are_silent() -> None:
    tokenizer = tiny_tokenizer()
    tokens = tokenizer.encode("lazy dog")
    assert tokenizer.decode([*SPECIAL, *tokens[:2], *SPECIAL, *tokens[2:], 2]) == "lazy dog"


def test_what_was_never_seen_is_unknown() -> None:
    assert Tokenizer.unknown_id in tiny_tokenizer().encode("smörgåsbord")


def test_serialized_is_the_whole_tokenizer() -> None:
    copy = Tokenizer(tiny_tokenizer().serialized)
    assert [copy.encode(text) for text in SENTENCES] == [
        tiny_tokenizer().encode(text) for text in SENTENCES
    ]


@pytest.mark.parametrize("serialized", [b"\x00", b"no model at all", b"\xff" * 100])
def test_other_bytes_are_no_tokenizer(serialized: bytes) -> None:
    with pytest.raises(RuntimeError):
        Tokenizer(serialized)


@pytest.mark.parametrize("vocab_size", [5, 10_000])
def test_a_size_that_the_sentences_cannot_fill_is_refused(vocab_size: int) -> None:
    with pytest.raises(InvalidOptionError, match=f"vocab_size={vocab_size}"):
        Tokenizer.train(SENTENCES, vocab_size)


def test_the_same_sentences_teach_the_same_vocabulary() -> None:
    again = Tokenizer.train(iter(SENTENCES), VOCAB_SIZE)
    assert again.encode(SENTENCES[0]) == tiny_tokenizer().encode(SENTENCES[0])
