"""Observed Whisper and Moonshine: what their decoders look at, and their pictures."""

import numpy as np
import pytest
import torch
from torch import Tensor

from auricle.audio import Audio
from auricle.checkpoint import Checkpoint
from auricle.families.whisper.tokenizer import WhisperTokenizer
from auricle.inspection import Observation, observe
from auricle.pretrained import load_pretrained
from auricle.recognizer import Recognizer
from auricle_types.options import DecodingOptions
from tests.asr.families.peers import (
    ALIGNMENT_HEADS,
    features,
    heard,
    hub_folder,
    hub_moonshine,
    runner,
    save,
    small_whisper,
)
from tests.asr.inspecting import direct, drawn, heads, inputs_of, texts
from tests.asr.tokenizer.unicode_lines import short_vocabulary

pytestmark = [
    pytest.mark.usefixtures("all_is_speech"),
    pytest.mark.filterwarnings(  # openai-whisper leaves its table open
        "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
    ),
]
SOUND = heard()[28]
WHISPER_FRAMES = -(-len(SOUND) // 320)


@pytest.fixture(scope="module")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    folder = tmp_path_factory.mktemp("inspected") / "whisper"
    return load_pretrained(hub_folder(small_whisper(), folder, short_vocabulary()))


@pytest.fixture(scope="module")
def moonshine(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return load_pretrained(
        save(hub_moonshine(), tmp_path_factory.mktemp("inspected") / "moonshine")
    )


@pytest.fixture(scope="module")
def seen(whisper: Checkpoint) -> Observation:
    return observe(whisper, Audio(SOUND))


@pytest.fixture(scope="module")
def seen_by_moonshine(moonshine: Checkpoint) -> Observation:
    return observe(moonshine, Audio(SOUND))


@torch.inference_mode()
def looked_at(
    checkpoint: Checkpoint, prompt: list[int], seen: Observation, places: list[tuple[int, int]]
) -> Tensor:
    """Of the decoder's heads at `places`, over the frames of the audio: `(U, N)`."""
    model, (x,) = checkpoint.model, features(runner(checkpoint), [SOUND])
    (encoder_out,) = model.encoder.encode([x])
    tokens = torch.tensor([[*prompt, *seen.hypothesis.tokens]])
    frames = seen.cross_attention.shape[1]
    weights = []
    for layer, head in places:
        attention = model.decoder.layers[layer].cross_attention
        with inputs_of(attention) as normed:
            model.decoder(tokens, encoder_out[None], torch.tensor([len(encoder_out)]))
        query = heads(attention.query(normed[0][0]), attention.n_heads)[head]
        key, _ = attention.key_value(encoder_out[:frames]).chunk(2, dim=-1)
        weights.append(direct(query[None], heads(key, attention.n_heads)[head][None])[0])
    return torch.stack(weights).mean(dim=0)[len(prompt) - 1 : -1].float()


def test_whisper_looks_by_its_alignment_heads_behind_its_own_prompt(
    whisper: Checkpoint, seen: Observation
) -> None:
    tokenizer, language = short_vocabulary(), seen.hypothesis.language
    assert language is not None
    prompt = [tokenizer.start, tokenizer.languages[language], tokenizer.task("transcribe")]
    expected = looked_at(whisper, prompt, seen, list(ALIGNMENT_HEADS))
    assert len(expected) > 5
    torch.testing.assert_close(seen.cross_attention, expected)


def test_moonshine_looks_by_the_heads_of_its_last_layer(
    moonshine: Checkpoint, seen_by_moonshine: Observation
) -> None:
    start = list(moonshine.model.config.tokens.start)
    expected = looked_at(moonshine, start, seen_by_moonshine, [(1, 0), (1, 1)])
    assert len(expected) > 5
    torch.testing.assert_close(seen_by_moonshine.cross_attention, expected)


def test_silence_behind_the_audio_is_left_out(whisper: Checkpoint, seen: Observation) -> None:
    (x,) = features(runner(whisper), [SOUND])
    assert len(seen.x) == -(-len(SOUND) // 160) < len(x)
    assert torch.equal(seen.x, x[: len(seen.x)])
    assert seen.self_attention.shape == (2, WHISPER_FRAMES, WHISPER_FRAMES)
    assert seen.cross_attention.shape == (len(seen.hypothesis.tokens), WHISPER_FRAMES)
    for rows in (seen.self_attention, seen.cross_attention):
        torch.testing.assert_close(rows.sum(dim=-1), torch.ones(rows.shape[:-1]))


def test_words_and_times_are_the_recognisers(whisper: Checkpoint, seen: Observation) -> None:
    with Recognizer.from_checkpoint(whisper, device="cpu", dtype="float32") as recognizer:
        timed = DecodingOptions(word_timestamps=True)
        said = recognizer.transcribe(SOUND, options=timed)
    assert seen.text == said.text
    assert seen.hypothesis.words == tuple(word for each in said.segments for word in each.words)
    assert seen.hypothesis.words


@pytest.mark.filterwarnings("ignore:Glyph")  # random words hold any sign
def test_whispers_picture_has_its_words_and_no_ctc(seen: Observation) -> None:
    sound, cross, words, *heads = drawn(seen).axes
    assert len(heads) == 2
    np.testing.assert_array_equal(sound.images[0].get_array(), seen.x.T)
    np.testing.assert_array_equal(cross.images[0].get_array(), seen.cross_attention)
    pieces = [seen.tokenizer.piece(token) for token in seen.hypothesis.tokens]
    assert [label.get_text() for label in cross.get_yticklabels()] == pieces
    assert texts(words) == [word.text for word in seen.hypothesis.words]
    starts = [bar.get_x() + seen.frame_seconds / 2 for bar in words.patches]
    assert starts == pytest.approx([word.start for word in seen.hypothesis.words])
    assert seen.frame_seconds == 0.02


def test_moonshines_picture_has_its_samples_and_no_times(seen_by_moonshine: Observation) -> None:
    samples, cross, *heads = drawn(seen_by_moonshine).axes
    assert len(heads) == len(seen_by_moonshine.self_attention) == 2
    np.testing.assert_array_equal(samples.lines[0].get_ydata(), SOUND)
    np.testing.assert_array_equal(cross.images[0].get_array(), seen_by_moonshine.cross_attention)


def test_times_are_pieces_though_no_file_lists_them() -> None:
    tokenizer = WhisperTokenizer(short_vocabulary().serialized)
    assert tokenizer.piece(tokenizer.end) == "<|endoftext|>"
    assert tokenizer.piece(tokenizer.timestamp_begin + 50) == "<|1.00|>"
