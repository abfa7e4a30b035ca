"""Whisper as transformers has it: features, encoder, logits, greedy tokens."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from auricle.config import FeatureConfig
from auricle.engine import ModelRunner
from auricle.families.whisper.features import WhisperLogMel
from auricle.model import SpeechTransformer
from auricle.pretrained import load_pretrained
from tests.asr.families.peers import (
    END,
    LIMIT,
    SILENT,
    START,
    WHISPER_VOCAB_SIZE,
    WINDOW,
    Said,
    assert_worth_comparing,
    features,
    greedy,
    heard,
    hub_whisper,
    let_some_end,
    runner,
    save,
    transformers,
    until_end,
    whisper,
)

TOLERANCE = 1e-4
SAMPLES = WINDOW * 320  # of the window


@pytest.fixture(scope="module")
def theirs(mel: Tensor) -> nn.Module:
    model = hub_whisper()
    with torch.inference_mode():
        encoder_out = model.get_submodule("model.encoder")(mel).last_hidden_state
    said = [tokens for tokens, _ in references(model, encoder_out)]
    let_some_end(model.get_parameter("model.decoder.embed_tokens.weight"), END, said)
    return model


@pytest.fixture(scope="module")
def ours(theirs: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> ModelRunner:
    return runner(load_pretrained(save(theirs, tmp_path_factory.mktemp("whisper"))))


@pytest.fixture(scope="module")
def mel() -> Tensor:
    """By openai-whisper, `(50, n_mels, T)`."""
    padded = [whisper.pad_or_trim(each, SAMPLES) for each in heard()]
    return torch.stack([whisper.log_mel_spectrogram(torch.from_numpy(each)) for each in padded])


@pytest.mark.parametrize("n_mels", [80, 128])
@pytest.mark.parametrize("seconds", [0.5, 1.997, 2.0])
def test_features_are_both_peers(n_mels: int, seconds: float) -> None:
    """Even of a window that is full to its last sample, where the end is reflected."""
    waveform = whisper.pad_or_trim(np.tile(heard()[9], 9)[: round(seconds * 16_000)], SAMPLES)
    samples = torch.from_numpy(waveform)
    found, lens = WhisperLogMel(FeatureConfig(n_mels=n_mels, kind="whisper"))(
        torch.stack([samples, torch.zeros(SAMPLES)]), torch.tensor([SAMPLES, 4_000])
    )
    assert lens.tolist() == [2 * WINDOW, 25]
    expected = whisper.log_mel_spectrogram(samples, n_mels)
    torch.testing.assert_close(found[0].T, expected, atol=1e-5, rtol=0)
    extractor = transformers.WhisperFeatureExtractor(feature_size=n_mels)
    other = extractor._torch_extract_fbank_features(waveform[None])[0]
    torch.testing.assert_close(found[0].T, torch.from_numpy(other), atol=1e-5, rtol=0)


def test_the_runners_features_are_the_peers(ours: ModelRunner, mel: Tensor) -> None:
    for found, expected in zip(features(ours, heard()), mel, strict=True):
        torch.testing.assert_close(found.T, expected, atol=1e-5, rtol=0)


@torch.inference_mode()
def test_the_encoder_is_theirs(ours: ModelRunner, theirs: nn.Module, mel: Tensor) -> None:
    expected = theirs.get_submodule("model.encoder")(mel).last_hidden_state
    found = torch.stack(ours.model.encoder.encode(features(ours, heard())))
    torch.testing.assert_close(found, expected, atol=TOLERANCE, rtol=0)
    assert float(expected.std(dim=0).mean()) > 0.1  # it hears something


@torch.inference_mode()
def test_teacher_forced_logits_are_theirs(
    ours: ModelRunner, theirs: nn.Module, mel: Tensor
) -> None:
    tokens = torch.randint(WHISPER_VOCAB_SIZE, (len(mel), 30), generator=torch.manual_seed(0))
    expected = theirs(mel, decoder_input_ids=tokens).logits
    found = logits(ours.model, features(ours, heard()), tokens)
    torch.testing.assert_close(found, expected, atol=TOLERANCE, rtol=0)


def logits(model: SpeechTransformer, xs: list[Tensor], tokens: Tensor) -> Tensor:
    encoder_out = torch.stack(model.encoder.encode(xs))
    lens = torch.full((len(encoder_out),), encoder_out.shape[1])
    found: Tensor = model.decoder(tokens, encoder_out, lens)
    return found


@torch.inference_mode()
def references(theirs: nn.Module, encoder_out: Tensor) -> list[tuple[Said, bool]]:
    """Greedy search of transformers, but for Whisper's own rules."""
    config = transformers.GenerationConfig(
        max_new_tokens=LIMIT,
        do_sample=False,
        suppress_tokens=list(SILENT),
        eos_token_id=END,
        pad_token_id=0,
        decoder_start_token_id=START,
    )
    rows = transformers.GenerationMixin.generate(
        theirs,
        encoder_outputs=transformers.modeling_outputs.BaseModelOutput(encoder_out),
        decoder_input_ids=torch.full((len(encoder_out), 1), START),
        generation_config=config,
    )
    return [until_end(row[1:].tolist()) for row in rows]


def test_greedy_tokens_are_theirs(ours: ModelRunner, theirs: nn.Module, mel: Tensor) -> None:
    with torch.inference_mode():
        encoder_out = theirs.get_submodule("model.encoder")(mel).last_hidden_state
    expected = references(theirs, encoder_out)
    assert_worth_comparing(expected)
    found = greedy(ours, heard())
    assert found == expected
    assert references(theirs, encoder_out.roll(1, dims=0)) != found  # a broken encoder would show
