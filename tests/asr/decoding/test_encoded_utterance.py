"""What is kept of an utterance, fed to the decoder once more."""

import pytest
import torch

from auricle.decoding import EncodedUtterance
from tests.asr.tiny import DTYPES, prepared_model, utterances

TOKENS = (1, 7, 5, 9, 12)
HEADS = ((0, 1), (1, 0), (1, 1))


def hearing(dtype: torch.dtype = torch.float32, frames: int | None = None) -> EncodedUtterance:
    model = prepared_model(dtype)
    encoder_out = model.encoder.encode(utterances(model.config, dtype)[:1])
    (memory,) = model.decoder.project_memory(encoder_out)
    return EncodedUtterance(model.decoder, memory, None, frames or memory.shape[3])


@pytest.mark.parametrize("dtype", DTYPES)
def test_logits_are_those_of_the_decoder(dtype: torch.dtype) -> None:
    model = prepared_model(dtype)
    (encoder_out,) = model.encoder.encode(utterances(model.config, dtype)[:1])
    expected = model.decoder(
        torch.tensor([TOKENS]), encoder_out[None], torch.tensor([len(encoder_out)])
    )
    _, found = hearing(dtype).attend(TOKENS, HEADS)
    loose = 1e-4 if dtype == torch.float32 else 0.2
    assert torch.allclose(found, expected[0].float(), atol=loose)
    assert found.dtype == torch.float32


def test_weights_are_shares_of_the_audios_frames() -> None:
    for frames in (None, 6):
        weights, _ = hearing(frames=frames).attend(TOKENS, HEADS)
        assert weights.shape == (3, len(TOKENS), frames or hearing().frames)
        assert torch.allclose(weights.sum(dim=-1), torch.ones(3, len(TOKENS)))


def test_each_head_looks_for_itself() -> None:
    together, _ = hearing().attend(TOKENS, HEADS)
    for row, head in enumerate(HEADS):
        alone, _ = hearing().attend(TOKENS, (head,))
        assert torch.equal(alone[0], together[row])
    assert not torch.allclose(together[0], together[1])
