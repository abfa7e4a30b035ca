"""The joint loss against its definition, row by row."""

import pytest
import torch
from torch.nn import functional as F

from auricle.tokenizer import Tokenizer
from auricle.training.config import LossConfig
from auricle.training.loss import joint_loss
from tests.asr.tiny import SECONDS, features, tiny_model

TEXTS = [[5, 6, 7], [8], [9, 10, 9, 9], [11], [12, 13, 14, 15, 16], [4, 4]]


def naive(ctc_weight: float, smoothing: float) -> tuple[float, float, float]:
    """Total, CTC and attention loss, each row alone and unpadded."""
    model = tiny_model()
    x, x_lens = features(model.config)
    ctc = attention = 0.0
    for row, text in enumerate(TEXTS):
        length = x_lens[row : row + 1]
        inputs = torch.tensor([[Tokenizer.start_id, *text]])
        targets = torch.tensor([*text, Tokenizer.end_id])
        logits, ctc_logits, lens = model(x[row : row + 1, : int(length)], length, inputs)
        attention += float(
            F.cross_entropy(logits[0], targets, reduction="sum", label_smoothing=smoothing)
        )
        log_probs = ctc_logits[0].log_softmax(dim=-1)
        loss = F.ctc_loss(
            log_probs, torch.tensor(text), lens[0], torch.tensor(len(text)), reduction="sum"
        )
        ctc += float(loss)
    tokens = sum(map(len, TEXTS))
    ctc, attention = ctc / tokens, attention / (tokens + len(TEXTS))
    return ctc_weight * ctc + (1 - ctc_weight) * attention, ctc, attention


@pytest.mark.parametrize(("ctc_weight", "smoothing"), [(0.5, 0.1), (0.3, 0.0), (0.0, 0.2)])
def test_a_batch_is_its_rows_by_the_definition(ctc_weight: float, smoothing: float) -> None:
    model = tiny_model()
    losses = joint_loss(model, *features(model.config), TEXTS, LossConfig(ctc_weight, smoothing))
    found = (float(losses.total), float(losses.ctc), float(losses.attention))
    assert found == pytest.approx(naive(ctc_weight, smoothing), rel=1e-4)
    assert len(TEXTS) == len(SECONDS)


def test_a_text_longer_than_its_audio_does_no_harm() -> None:
    model = tiny_model()
    x, x_lens = features(model.config)
    texts = [[5] * 500, *TEXTS[1:]]
    losses = joint_loss(model, x, x_lens, texts, LossConfig())
    assert torch.isfinite(losses.total)
    assert torch.isfinite(losses.ctc)


def test_rows_without_words_are_allowed() -> None:
    model = tiny_model()
    losses = joint_loss(model, *features(model.config), [[]] * len(TEXTS), LossConfig())
    assert torch.isfinite(losses.total)


def test_only_the_total_has_a_gradient() -> None:
    model = tiny_model()
    x, x_lens = features(model.config)
    losses = joint_loss(model, x.requires_grad_(), x_lens, TEXTS, LossConfig())
    assert losses.total.requires_grad
    assert not losses.ctc.requires_grad
    assert not losses.attention.requires_grad
