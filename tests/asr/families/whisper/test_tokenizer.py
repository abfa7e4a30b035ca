"""Whisper's vocabulary against openai-whisper's own."""

import functools
import warnings

import pytest

pytest.importorskip("whisper")

import whisper.tokenizer as openai

from auricle.families.whisper.tokenizer import TIMESTAMP_SECONDS, TIMESTAMPS
from auricle.tokenizer.languages import ALIASES, LANGUAGES, UNSPACED
from tests.asr.tokenizer.unicode_lines import lines, vocabulary

KINDS = [(False, 99), (True, 99), (True, 100)]  # for English alone; up to large-v2; from v3 on
LINES = 4_000


@functools.cache
def reference(multilingual: bool, languages: int) -> openai.Tokenizer:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it leaves its file open
        return openai.get_tokenizer(multilingual, num_languages=languages)


@pytest.fixture(params=KINDS, ids=["en", "multilingual", "v3"])
def kind(request: pytest.FixtureRequest) -> tuple[bool, int]:
    value: tuple[bool, int] = request.param
    return value


@pytest.mark.parametrize("multilingual", [False, True])
def test_mixed_text_has_the_same_tokens_and_comes_back(multilingual: bool) -> None:
    ours, theirs = vocabulary(multilingual=multilingual), reference(multilingual, 99)
    wrong = []
    for line in lines(LINES):
        tokens = theirs.encode(line)
        if ours.encode(line) != tokens or ours.spell(tokens) != line:
            wrong.append(line)
    assert wrong == []


def test_the_lines_are_of_all_scripts() -> None:
    """So that the test above has something to say."""
    many = lines(LINES)
    assert len(set(many)) > 0.9 * LINES
    assert len({character for line in many for character in line}) > 6_000


@pytest.mark.parametrize("multilingual", [False, True])
def test_parts_of_characters_read_alike(multilingual: bool) -> None:
    """Tokens may end within a character: what is left of it becomes U+FFFD."""
    ours, theirs = vocabulary(multilingual=multilingual), reference(multilingual, 99)
    broken = 0
    for line in lines(1_500, seed=1):
        tokens = theirs.encode(line)[1:-1]
        text = theirs.decode_with_timestamps(tokens)
        broken += "\ufffd" in text
        assert ours.spell(tokens) == text
    assert broken > 100


def test_special_ids(kind: tuple[bool, int]) -> None:
    ours, theirs = vocabulary(multilingual=kind[0], languages=kind[1]), reference(*kind)
    assert ours.vocab_size == theirs.encoding.n_vocab
    assert ours.added == theirs.special_tokens
    assert (ours.start, ours.end, ours.no_speech) == (theirs.sot, theirs.eot, theirs.no_speech)
    assert ours.start_of_previous == theirs.sot_prev
    assert ours.no_timestamps == theirs.no_timestamps
    assert ours.timestamp_begin == theirs.timestamp_begin
    assert (ours.task("transcribe"), ours.task("translate")) == (
        theirs.transcribe,
        theirs.translate,
    )
    assert ours.blanks == (*theirs.encode(" "), theirs.eot)
    assert ours.multilingual == kind[0]


def test_every_languages_token(kind: tuple[bool, int]) -> None:
    ours, theirs = vocabulary(multilingual=kind[0], languages=kind[1]), reference(*kind)
    if not kind[0]:
        assert ours.languages == {}
        return
    expected = dict(zip(theirs.all_language_codes, theirs.all_language_tokens, strict=True))
    assert ours.languages == expected
    assert len(expected) == kind[1]
    for code, token in ours.languages.items():
        assert ours.spell([token]) == f"<|{code}|>"
        assert theirs.to_language_token(code) == token


def test_every_time_is_a_token() -> None:
    ours = vocabulary()
    first = ours.timestamp_begin
    times = [ours.spell([first + index]) for index in range(TIMESTAMPS)]
    assert times[0] == "<|0.00|>"
    assert times[-1] == "<|30.00|>"
    assert times == [f"<|{index * TIMESTAMP_SECONDS:.2f}|>" for index in range(TIMESTAMPS)]


def test_what_is_never_said_by_default(kind: tuple[bool, int]) -> None:
    """openai-whisper's `suppress_tokens="-1"`."""
    ours, theirs = vocabulary(multilingual=kind[0], languages=kind[1]), reference(*kind)
    expected = {*theirs.non_speech_tokens, theirs.transcribe, theirs.translate, theirs.sot}
    expected |= {theirs.sot_prev, theirs.sot_lm, theirs.no_speech}
    assert set(ours.special.suppressed) == expected
    assert (ours.special.start, ours.special.end) == ((theirs.sot,), theirs.eot)


def test_languages_are_openais() -> None:
    assert list(LANGUAGES.items()) == list(openai.LANGUAGES.items())
    names = {name: code for code, name in LANGUAGES.items()}
    assert names | ALIASES == openai.TO_LANGUAGE_CODE
    assert {"zh", "ja", "th", "lo", "my", "yue"} == UNSPACED


def test_times_and_special_ids_are_silent() -> None:
    ours = vocabulary()
    words = ours.encode(" Hello there")
    times = [ours.timestamp_begin, ours.timestamp_begin + 7]
    assert ours.decode([ours.start, times[0], *words, times[1], ours.end]) == "Hello there"


def test_nobodys_text_holds_a_special_id() -> None:
    ours = vocabulary()
    tokens = ours.encode("so <|endoftext|><|de|><|0.00|> there")
    assert max(tokens) < ours.end
    assert ours.decode(tokens) == "so <|endoftext|><|de|><|0.00|> there"
