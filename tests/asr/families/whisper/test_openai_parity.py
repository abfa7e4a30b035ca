"""Whisper as openai-whisper has it: encoder, logits, greedy tokens, with its own vocabulary."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from auricle.engine import ModelRunner
from auricle.pretrained import load_pretrained
from tests.asr.families.peers import (
    LIMIT,
    WINDOW,
    Peer,
    Said,
    assert_worth_comparing,
    features,
    greedy,
    heard,
    let_some_end,
    openai_file,
    openai_model,
    runner,
    whisper,
)

pytestmark = pytest.mark.filterwarnings(  # openai-whisper leaves its table open
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
TOLERANCE = 1e-4
SAMPLES = WINDOW * 320
END = 50_257


@pytest.fixture(scope="module")
def mel() -> Tensor:
    padded = [whisper.pad_or_trim(each, SAMPLES) for each in heard()]
    return torch.stack([whisper.log_mel_spectrogram(torch.from_numpy(each)) for each in padded])


@pytest.fixture(scope="module")
def theirs(mel: Tensor) -> Peer:
    model = openai_model()
    said = [tokens for tokens, _ in references(model, model.encoder(mel))]
    let_some_end(model.get_parameter("decoder.token_embedding.weight"), END, said)
    return model


@pytest.fixture(scope="module")
def ours(theirs: Peer, tmp_path_factory: pytest.TempPathFactory) -> ModelRunner:
    return runner(load_pretrained(openai_file(tmp_path_factory.mktemp("openai"), theirs)))


def references(model: Peer, audio_features: Tensor) -> list[tuple[Said, bool]]:
    """Its own greedy search, told what ours is told: English, to be transcribed, without times."""
    options = whisper.DecodingOptions(
        language="en",
        without_timestamps=True,
        suppress_blank=False,
        fp16=False,
        sample_len=LIMIT,
    )
    results = whisper.decode(model, audio_features, options)
    return [(tuple(result.tokens), len(result.tokens) < LIMIT) for result in results]


@torch.inference_mode()
def test_the_encoder_is_theirs(ours: ModelRunner, theirs: Peer, mel: Tensor) -> None:
    found = torch.stack(ours.model.encoder.encode(features(ours, heard())))
    torch.testing.assert_close(found, theirs.encoder(mel), atol=TOLERANCE, rtol=0)


@torch.inference_mode()
def test_teacher_forced_logits_are_theirs(ours: ModelRunner, theirs: Peer, mel: Tensor) -> None:
    tokens = torch.randint(END, (4, 30), generator=torch.manual_seed(0))
    expected = theirs(mel[:4], tokens)
    encoder_out = torch.stack(ours.model.encoder.encode(features(ours, heard()[:4])))
    found = ours.model.decoder(tokens, encoder_out, torch.full((4,), WINDOW))
    torch.testing.assert_close(found, expected, atol=TOLERANCE, rtol=0)


def test_greedy_tokens_are_theirs(ours: ModelRunner, theirs: Peer, mel: Tensor) -> None:
    with torch.inference_mode():
        audio_features = theirs.encoder(mel)
    expected = references(theirs, audio_features)
    assert_worth_comparing(expected)
    found = greedy(ours, heard())
    assert [tokens for tokens, _ in found] == [tokens for tokens, _ in expected]
    assert references(theirs, audio_features.roll(1, dims=0)) != expected


@pytest.mark.parametrize("n_vocab", [51_864, 51_866])
def test_english_alone_and_one_language_more(tmp_path: Path, n_vocab: int) -> None:
    checkpoint = load_pretrained(openai_file(tmp_path, openai_model(n_vocab=n_vocab, n_mels=128)))
    multilingual = n_vocab > 51_864
    tokenizer = whisper.tokenizer.get_tokenizer(
        multilingual, num_languages=100 if multilingual else 99, language="en", task="transcribe"
    )
    tokens = checkpoint.model.config.tokens
    assert tokens.start == tokenizer.sot_sequence_including_notimestamps
    assert tokens.end == tokenizer.eot
    assert set(tokenizer.non_speech_tokens) < set(tokens.suppressed)
    assert checkpoint.model.config.features.n_mels == 128
    assert checkpoint.tokenizer.vocab_size == n_vocab
