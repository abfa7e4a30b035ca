"""The tokens of a label, by its teacher's vocabulary or by the shorter one of a student."""

from dataclasses import replace
from itertools import accumulate

import torch
from torch import Tensor

from auricle.families.whisper.tokenizer import WhisperTokenizer
from auricle.training.labels.label import Label


def tokens_of(text: str, tokenizer: WhisperTokenizer) -> tuple[Tensor, Tensor]:
    """Tokens `(U,)`, END included, and the bytes before each of them `(U,)`.

    Whisper begins a text with a space.
    """
    tokens = tokenizer.encode(f" {text}")
    places = accumulate(map(tokenizer.bytes_of, tokens), initial=0)
    return torch.tensor([*tokens, tokenizer.end]), torch.tensor(list(places))


def by_student(label: Label, tokenizer: WhisperTokenizer) -> Label:
    """`label` in the tokens of a student, whose vocabulary may be the teacher's cut short.

    Of the teacher's likely tokens those stay that the student has, at the places where a token of
    both begins. Elsewhere no probability is known: log-probabilities are -inf.
    """
    tokens, places = tokens_of(label.text, tokenizer)
    if torch.equal(tokens, label.tokens.long()):
        return label
    rows = {place: row for row, place in enumerate(label.places.tolist())}
    found = torch.tensor([rows.get(place, -1) for place in places.tolist()])
    likely = label.likely[found].long()
    likely[likely == int(label.tokens[-1])] = tokenizer.end
    known = (found >= 0)[:, None] & (likely <= tokenizer.end)
    log_probs = label.log_probs[found].masked_fill(~known, -torch.inf)
    return replace(label, tokens=tokens, places=places, likely=likely * known, log_probs=log_probs)
