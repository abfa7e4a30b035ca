"""The taught loss against its definition, place by place."""

import pytest
import torch
from torch import Tensor

from auricle.config import SpecialTokens
from auricle.training.config import TeacherConfig
from auricle.training.distillation import DistillationLoss, DistillationTarget, target_of
from auricle.training.labels import Label
from auricle.training.loss import Share

END, VOCAB = 2, 12
SPECIAL = SpecialTokens((1, 3), END)


def model(x: Tensor, x_lens: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
    """A network whose logits depend on the row and on the tokens before."""
    table = torch.randn(VOCAB, VOCAB, generator=torch.Generator().manual_seed(1))
    return table[tokens] + x.mean(dim=(1, 2))[:, None, None] * torch.arange(VOCAB), x_lens


def label(tokens: list[int], log_probs: Tensor, most: int = VOCAB) -> Label:
    likely = log_probs.topk(most)
    places = torch.arange(len(tokens) + 1)
    return Label("", torch.tensor([*tokens, END]), places, likely.indices, likely.values)


def confident(tokens: list[int], most: int = 4) -> Label:
    """A teacher who finds each of the tokens the likeliest."""
    wanted = torch.tensor([*tokens, END])
    logits = torch.randn(len(wanted), VOCAB, generator=torch.Generator().manual_seed(2))
    logits[range(len(wanted)), wanted] = 9.0
    return label(tokens, logits.log_softmax(-1), most)


def student(tokens: list[int], row: Tensor) -> Tensor:
    """Log-probabilities at each place, `(U + 1, V)`."""
    logits, _ = model(row[None], torch.tensor([4]), torch.tensor([[1, 3, *tokens]]))
    return logits[0, 1:].log_softmax(-1)


def loss(weight: float = 0.5, smoothing: float = 0.0) -> DistillationLoss:
    return DistillationLoss(TeacherConfig(labels=None, weight=weight), smoothing, SPECIAL)  # type: ignore[arg-type]


X, LENS = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(3)), torch.tensor([4, 4, 3])
TEXTS: tuple[list[int], ...] = ([5, 6, 7], [8], [])
TARGETS = [
    target_of([confident(TEXTS[0])], END, 3.0),
    target_of([confident(TEXTS[1])], END, 3.0),
    target_of([], END, 3.0),
]


def naive(weight: float, smoothing: float) -> tuple[float, float]:
    """Total and divergence, each row alone."""
    total = divergence = 0.0
    for text, row, target in zip(TEXTS, X, TARGETS, strict=True):
        for place, wanted in enumerate([*text, END]):
            found = student(text, row)[place]
            words = -(1 - smoothing) * found[wanted] - smoothing * found.mean()
            if not text:
                total += 3.0 * float(words)
                continue
            kept, named = target.log_probs[place], found[target.likely[place]]
            apart = float((kept.exp() * (kept - named)).sum())
            rest, others = 1 - float(kept.exp().sum()), 1 - float(named.exp().sum())
            apart += rest * float(torch.log(torch.tensor(rest / others)))
            total += (1 - weight) * float(words) + weight * apart
            divergence += apart
    places = sum(len(text) + 1 for text in TEXTS)
    return total / places, divergence / places


@pytest.mark.parametrize(("weight", "smoothing"), [(0.5, 0.1), (0.3, 0.0), (0.0, 0.2), (1.0, 0.0)])
def test_a_batch_is_its_places_by_the_definition(weight: float, smoothing: float) -> None:
    found = loss(weight, smoothing)(model, X, LENS, TARGETS)  # type: ignore[arg-type]
    total, divergence = naive(weight, smoothing)
    assert float(found.total) == pytest.approx(total, rel=1e-4)
    assert found.heads["teacher"] == pytest.approx(divergence, rel=1e-4)


def test_who_agrees_with_the_teacher_is_not_apart() -> None:
    same = label(TEXTS[0], student(TEXTS[0], X[0]), most=4)
    target = target_of([same], END, 1.0)
    target = DistillationTarget(
        target.tokens, target.likely, target.log_probs, torch.ones(4).bool()
    )
    found = loss()(model, X[:1], LENS[:1], [target])  # type: ignore[arg-type]
    assert found.heads["teacher"] == pytest.approx(0.0, abs=1e-6)


def test_a_batch_without_words() -> None:
    found = loss()(model, X[2:], LENS[2:], TARGETS[2:])  # type: ignore[arg-type]
    assert float(found.total) == pytest.approx(-3.0 * float(student([], X[2])[0, END]))
    assert found.heads["teacher"] == 0.0


def test_a_process_counts_for_its_share() -> None:
    whole = loss()(model, X, LENS, TARGETS)  # type: ignore[arg-type]
    half = loss()(model, X, LENS, TARGETS, Share(attention=0.5))  # type: ignore[arg-type]
    assert float(half.total) == pytest.approx(0.5 * float(whole.total))
    assert half.heads["teacher"] == pytest.approx(0.5 * whole.heads["teacher"])


def test_where_the_teacher_disagrees_only_the_words_count() -> None:
    right, wrong = confident([5, 6]), confident([5, 7])
    mixed = Label("", right.tokens, right.places, wrong.likely, wrong.log_probs)
    assert target_of([mixed], END, 1.0).counts.tolist() == [True, False, True]


def test_joined_texts_have_one_end_and_no_opinion_where_the_second_begins() -> None:
    target = target_of([confident([5, 6]), confident([7, 8, 9])], END, 1.0)
    assert target.tokens.tolist() == [5, 6, 7, 8, 9, END]
    assert target.text == [5, 6, 7, 8, 9]
    assert target.counts.tolist() == [True, True, False, False, True, True]
    assert target.likely[:, 0].tolist() == [5, 6, 7, 8, 9, END]
    assert target.weight == 1.0
