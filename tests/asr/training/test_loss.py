"""The joint loss against its definition, row by row."""

import math

import pytest
import torch
from torch.nn import functional as F

from auricle.tokenizer import Tokenizer
from auricle.training.config import LossConfig
from auricle.training.loss import _ctc_loss, joint_loss
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
    found = (float(losses.total), losses.heads["ctc"], losses.heads["attention"])
    assert found == pytest.approx(naive(ctc_weight, smoothing), rel=1e-4)
    assert len(TEXTS) == len(SECONDS)


def test_a_text_longer_than_its_audio_does_no_harm() -> None:
    model = tiny_model()
    x, x_lens = features(model.config)
    texts = [[5] * 500, *TEXTS[1:]]
    losses = joint_loss(model, x, x_lens, texts, LossConfig())
    assert torch.isfinite(losses.total)
    assert math.isfinite(losses.heads["ctc"])


def test_rows_without_words_are_allowed() -> None:
    model = tiny_model()
    losses = joint_loss(model, *features(model.config), [[]] * len(TEXTS), LossConfig())
    assert torch.isfinite(losses.total)


def test_a_row_without_words_is_blanks_and_an_end() -> None:
    """For CTC every frame is blank, for attention END comes at once."""
    model = tiny_model()
    x, x_lens = features(model.config)
    texts = [[5, 6, 7], [], *TEXTS[2:]]
    losses = joint_loss(model, x, x_lens, texts, LossConfig(0.5, 0.0))
    row, length = x[1:2, : int(x_lens[1])], x_lens[1:2]
    logits, ctc_logits, _ = model(row, length, torch.tensor([[Tokenizer.start_id]]))
    blanks = -ctc_logits[0].log_softmax(dim=-1)[:, Tokenizer.blank_id].sum()
    end = -logits[0, 0].log_softmax(dim=-1)[Tokenizer.end_id]
    others = [0, *range(2, len(texts))]
    rest = joint_loss(
        model, x[others], x_lens[others], [texts[i] for i in others], LossConfig(0.5, 0)
    )
    tokens = sum(map(len, texts))
    # A row without words counts as one token, its END as one of attention's.
    assert losses.heads["ctc"] == pytest.approx(
        (rest.heads["ctc"] * tokens + float(blanks)) / (tokens + 1), rel=1e-4
    )
    ends = tokens + len(others)
    assert float(losses.attention) == pytest.approx(
        (float(rest.attention) * ends + float(end)) / (ends + 1), rel=1e-4
    )


def test_rows_without_words_teach_ctc_to_be_blank() -> None:
    logits = torch.zeros(2, 6, 8, requires_grad=True)
    lens = torch.tensor([6, 4])
    loss = _ctc_loss(logits, lens, [torch.zeros(0, dtype=torch.long)] * 2)
    loss.backward()
    gradient = logits.grad
    assert gradient is not None
    assert (gradient[0, :, Tokenizer.blank_id] < 0).all()
    assert (gradient[0, :, 1:] > 0).all()
    assert not gradient[1, 4:].any()


def test_a_row_too_short_for_its_text_teaches_ctc_nothing() -> None:
    logits = torch.randn(2, 6, 8, requires_grad=True)
    rows = [torch.tensor([4, 4, 4, 4]), torch.tensor([4, 5])]  # 4 equal ones need 7 frames
    _ctc_loss(logits, torch.tensor([6, 6]), rows).backward()
    gradient = logits.grad
    assert gradient is not None
    assert not gradient[0].any()
    assert gradient[1].any()
    assert gradient.isfinite().all()


def test_only_the_total_has_a_gradient() -> None:
    model = tiny_model()
    x, x_lens = features(model.config)
    losses = joint_loss(model, x.requires_grad_(), x_lens, TEXTS, LossConfig())
    assert losses.total.requires_grad
    assert losses.ctc is not None
    assert not losses.ctc.requires_grad
    assert not losses.attention.requires_grad
