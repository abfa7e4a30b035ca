"""From a peer's file to words: our loading, engine and policy against openai-whisper's decode."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from auricle.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from auricle.config import ModelConfig
from auricle.engine import Outcome, Request
from auricle.families import new_policy
from auricle.families.whisper.policy import WhisperPolicy
from auricle.families.whisper.tokenizer import TIMESTAMP_SECONDS
from auricle.families.whisper.word_times import BESIDE_TEXT
from auricle.hypothesis import Hypothesis
from auricle.pretrained import load_pretrained
from auricle.recognizer import Recognizer
from auricle.segmentation.segmenter import Piece
from auricle_types.errors import CorruptCheckpointError, InvalidOptionError
from auricle_types.options import DecodingOptions
from auricle_types.transcript import Receipt
from tests.asr.families.peers import (
    WINDOW,
    Peer,
    heard,
    hub_folder,
    hub_moonshine,
    hub_whisper,
    openai_file,
    openai_model,
    save,
    small_whisper,
    whisper,
)
from tests.asr.families.whisper.openai_timing import timing
from tests.asr.tokenizer.unicode_lines import short_vocabulary, vocabulary
from tests.asr.voices import Samples

pytestmark = pytest.mark.filterwarnings(  # openai-whisper leaves its table open
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
    "ignore:__array_wrap__:DeprecationWarning",
)
SOUNDS = heard()[:50:13]
LATEST_FIRST = 50 * 30 / WINDOW  # seconds: openai-whisper derives the frame from the window
ONCE = DecodingOptions(fallback=False, guards=False)
KINDS: dict[str, dict[str, Any]] = {
    "english": {"language": "en", "timestamps": False},
    "times": {"language": "de"},
    "translation": {"language": "fr", "task": "translate"},
    "detection": {},
    "prompt": {"language": "ja", "prompt": "What was said before"},
    "beam": {"language": "en", "beam_size": 3},
}


@pytest.fixture(scope="module")
def theirs() -> Peer:
    return openai_model()


@pytest.fixture(scope="module")
def references(theirs: Peer) -> dict[str, list[Peer]]:
    padded = [whisper.pad_or_trim(each, WINDOW * 320) for each in SOUNDS]
    mels = torch.stack([whisper.log_mel_spectrogram(torch.from_numpy(each)) for each in padded])
    return {kind: decoded(theirs, mels, their_options(asked)) for kind, asked in KINDS.items()}


def decoded(theirs: Peer, mels: Tensor, options: Peer) -> list[Peer]:
    """Beams one by one: openai-whisper's want one audio."""
    if options.beam_size is None:
        return list(whisper.decode(theirs, mels, options))
    return [whisper.decode(theirs, mel, options) for mel in mels]


def their_options(asked: dict[str, Any]) -> Peer:
    told = dict(asked)
    told["without_timestamps"] = told.pop("timestamps", True) is False
    return whisper.DecodingOptions(fp16=False, max_initial_timestamp=LATEST_FIRST, **told)


@pytest.fixture(scope="module", params=["openai", "transformers"])
def checkpoint(
    request: pytest.FixtureRequest, theirs: Peer, tmp_path_factory: pytest.TempPathFactory
) -> Checkpoint:
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "openai":
        return load_pretrained(openai_file(folder, theirs))
    return load_pretrained(hub_folder(theirs, folder / "whisper", vocabulary()))


@pytest.fixture(scope="module")
def ours(checkpoint: Checkpoint) -> Iterator[Recognizer]:
    with Recognizer.from_checkpoint(checkpoint, device="cpu", dtype="float32") as recognizer:
        yield recognizer


def together(ours: Recognizer, options: DecodingOptions) -> list[Hypothesis]:
    """All sounds in one batch: with so large a vocabulary each alone would take as long."""
    futures = [ours._engine.submit(Request(each, options)) for each in SOUNDS]
    return [future.result().hypothesis for future in futures]


@pytest.mark.parametrize("kind", KINDS)
def test_the_words_and_tokens_are_theirs(
    ours: Recognizer, references: dict[str, list[Peer]], kind: str
) -> None:
    expected, options = references[kind], replace(ONCE, **KINDS[kind])
    assert len({tuple(each.tokens) for each in expected}) >= len(SOUNDS) - 1  # it listens
    found = together(ours, options)
    assert [list(each.tokens) for each in found] == [each.tokens for each in expected]
    assert [each.language for each in found] == [each.language for each in expected]
    texts = [vocabulary().decode(each.tokens) for each in expected]
    assert [each.text for each in ours.transcribe(SOUNDS, options=options)] == texts
    if options.timestamps is not False:
        assert min(each.tokens[0] for each in expected) >= vocabulary().timestamp_begin


def test_a_vad_that_hears_no_word_ends_it_before_it_begins(ours: Recognizer) -> None:
    def said(options: DecodingOptions) -> tuple[tuple[int, ...], tuple[str, ...]]:
        request = Request(SOUNDS[2], options, speech=False)
        found = ours._engine.submit(request).result().hypothesis
        return found.tokens, found.guards

    assert said(DecodingOptions(fallback=False)) == ((), ("silence",))
    assert said(ONCE)[0]


@pytest.mark.parametrize(
    ("option", "value"),
    [("language", "tlhingan"), ("lm_weight", 0.3), ("ctc_weight", 0.5)],
    ids=str,
)
def test_what_it_cannot_do_is_refused(ours: Recognizer, option: str, value: Any) -> None:  # noqa: ANN401
    with pytest.raises(InvalidOptionError, match=option):
        ours.transcribe(SOUNDS[0], options=DecodingOptions(**{option: value}))


@pytest.mark.parametrize(
    "asked",
    [
        {"language": "de"},
        {"task": "translate"},
        {"prompt": "a"},
        {"timestamps": True},
        {"ctc_weight": 0.5},
        {"word_timestamps": True},
    ],
    ids=str,
)
def test_other_families_know_nothing_of_it(tmp_path: Path, asked: dict[str, Any]) -> None:
    folder = save(hub_moonshine(), tmp_path / "moonshine")
    with (
        Recognizer.from_pretrained(folder, device="cpu", dtype="float32") as recognizer,
        pytest.raises(InvalidOptionError, match=next(iter(asked))),
    ):
        recognizer.transcribe(SOUNDS[0], options=DecodingOptions(**asked))


def outcome(*said: int) -> Outcome:
    return Outcome(Hypothesis(said, -1.0, language="de"), Receipt("m"))


def test_segments_are_what_stands_between_times(ours: Recognizer) -> None:
    begin, (one, two) = vocabulary().timestamp_begin, vocabulary().encode(" one two")
    said = outcome(begin, one, begin + 50, begin + 60, two)
    samples = torch.zeros(32_000).numpy()
    apart = ours._pieces._recognition(Piece(7.0, samples), DecodingOptions(), said)
    spans = [(each.start, each.end, each.text, each.language) for each in apart.segments]
    assert spans == [(7.0, 8.0, "one", "de"), (pytest.approx(8.2), 9.0, "two", "de")]
    whole = ours._pieces._recognition(Piece(7.0, samples, overlap=0.5), DecodingOptions(), said)
    assert [(each.start, each.end, each.text) for each in whole.segments] == [(7.0, 9.0, "one two")]
    assert whole.text == apart.text


def test_a_vocabulary_without_marks_is_refused(tmp_path: Path) -> None:
    folder = save(hub_whisper(), tmp_path / "whisper")
    with pytest.raises(
        CorruptCheckpointError, match=re.escape("whisper: the tokenizer has no <|transcribe|>")
    ):
        Recognizer.from_pretrained(folder, device="cpu", dtype="float32")


def test_a_file_of_our_own_keeps_the_family(checkpoint: Checkpoint, tmp_path: Path) -> None:
    path = tmp_path / "ours.safetensors"
    save_checkpoint(path, checkpoint.model, checkpoint.tokenizer)
    found = load_checkpoint(path)
    assert found.model.config == checkpoint.model.config
    assert isinstance(new_policy(found.model.config, found.tokenizer), WhisperPolicy)


# --- words -------------------------------------------------------------------------------------


def aligned(theirs: Peer, config: ModelConfig, found: Hypothesis, samples: Samples) -> list[Peer]:
    """By openai-whisper, with the heads that the checkpoint names, or else its own choice."""
    mask = torch.zeros(theirs.dims.n_text_layer, theirs.dims.n_text_head, dtype=torch.bool)
    mask[len(mask) // 2 :] = not config.alignment_heads
    for layer, head in config.alignment_heads:
        mask[layer, head] = True
    theirs.register_buffer("alignment_heads", mask.to_sparse(), persistent=False)
    tokenizer = whisper.tokenizer.get_tokenizer(True, num_languages=99, language=found.language)
    mel = whisper.log_mel_spectrogram(torch.from_numpy(whisper.pad_or_trim(samples, WINDOW * 320)))
    text = [token for token in found.tokens if token < tokenizer.eot]
    return list(timing.find_alignment(theirs, tokenizer, text, mel, len(samples) // 160))


@pytest.mark.parametrize("kind", ["english", "detection", "prompt", "beam"])
def test_words_are_said_when_openai_says(ours: Recognizer, theirs: Peer, kind: str) -> None:
    options = replace(ONCE, **{**KINDS[kind], "timestamps": False}, word_timestamps=True)
    plain = together(ours, replace(options, word_timestamps=False))
    several = 0
    for samples, found, untimed in zip(SOUNDS, together(ours, options), plain, strict=True):
        assert found.tokens == untimed.tokens
        expected = aligned(theirs, ours.config, found, samples)
        timing.merge_punctuations(
            expected, "\"'\u201c\u00bf([{-", "\"'.\u3002,\uff0c!\uff01?\uff1f:\uff1a\u201d)]}\u3001"
        )
        named = [each for each in expected if each.word.strip()]
        assert [word.text for word in found.words] == [each.word.strip() for each in named]
        for word, each in zip(found.words, named, strict=True):
            assert word.start == pytest.approx(each.start, abs=1.01 * TIMESTAMP_SECONDS)
            assert word.end == pytest.approx(each.end, abs=1.01 * TIMESTAMP_SECONDS)
            assert word.confidence == pytest.approx(each.probability, abs=1e-3)
        several += len({word.start for word in found.words}) > 1
    assert several >= len(SOUNDS) // 2


def test_words_are_the_same_in_any_company(ours: Recognizer) -> None:
    options = replace(ONCE, language="en", word_timestamps=True)
    found = together(ours, options)
    for samples, each in list(zip(SOUNDS, found, strict=True))[::2]:
        assert ours._engine.submit(Request(samples, options)).result().hypothesis == each
    assert len({each.words for each in found}) > len(SOUNDS) // 2  # it listens


def test_a_transcript_has_the_words_of_its_text(ours: Recognizer) -> None:
    options = replace(ONCE, language="en", word_timestamps=True)
    for transcript in ours.transcribe(SOUNDS, options=options):
        for segment in transcript.segments:
            assert letters(" ".join(word.text for word in segment.words)) == letters(segment.text)
            assert all(0 <= word.start <= word.end <= segment.end for word in segment.words)
    for samples in SOUNDS[:2]:
        windows = ours.transcribe_in_windows(samples, options=options)
        for segment in windows.segments:
            assert letters(" ".join(word.text for word in segment.words)) == letters(segment.text)


def letters(text: str) -> str:
    return "".join(text.split())


def test_as_many_tokens_as_fit_have_times(ours: Recognizer) -> None:
    options = replace(ONCE, language="en", word_timestamps=True, max_tokens=1_000)
    for found in together(ours, options):
        assert found.words
        assert len(found.tokens) <= 48 - BESIDE_TEXT


@pytest.mark.parametrize(
    ("listed", "expected"), [([[1, 1]], ((1, 1),)), (None, ()), ([[7, 0], [1, 1]], ())], ids=str
)
def test_alignment_heads_are_those_of_the_generation_config(
    tmp_path: Path, listed: object, expected: object
) -> None:
    folder = hub_folder(small_whisper(), tmp_path / "whisper", short_vocabulary())
    path = folder / "generation_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "alignment_heads": listed}))
    assert load_pretrained(folder).model.config.alignment_heads == expected


def test_alignment_heads_that_are_none_are_refused(tmp_path: Path) -> None:
    folder = hub_folder(small_whisper(), tmp_path / "whisper", short_vocabulary())
    path = folder / "generation_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "alignment_heads": [[1], 2]}))
    with pytest.raises(CorruptCheckpointError, match="alignment_heads must be pairs"):
        load_pretrained(folder)
