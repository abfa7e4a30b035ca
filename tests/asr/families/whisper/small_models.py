"""Small random models of openai-whisper, decoded by it and by us: helpers for tests, no tests.

Ours sees the same logits for the same prefixes, so what is compared is all that comes after them.
"""

import functools
import warnings
from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from auricle.decoding import ContinuousDecoder, UtteranceFacts
from auricle.families.whisper.policy import WhisperPolicy
from auricle.families.whisper.tokenizer import WhisperTokenizer
from auricle.hypothesis import Hypothesis
from auricle.model import new_cache
from auricle_types.options import DecodingOptions
from tests.asr.decoding.scripted import Prefix, ScriptedDecoder, remembered
from tests.asr.tokenizer.unicode_lines import vocabulary

pytest.importorskip("whisper")

import whisper
from whisper.model import ModelDimensions
from whisper.tokenizer import get_tokenizer

CONTEXT = 24  # tokens
FRAMES, WIDTH = 8, 32
UTTERANCES = 30
LATEST_FIRST = 50 * 30 / FRAMES  # seconds: openai-whisper derives the frame from the window


@functools.cache
def model(*, multilingual: bool = True) -> whisper.Whisper:
    """Its words depend on the audio, and some end early."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it leaves its file open
        get_tokenizer(multilingual, num_languages=99)  # and keeps what it read
    torch.manual_seed(1)
    size = 51865 if multilingual else 51864
    dims = ModelDimensions(80, FRAMES, WIDTH, 2, 1, size, CONTEXT, WIDTH, 2, 2)
    made = whisper.Whisper(dims).eval().requires_grad_(False)
    for name, weight in made.decoder.named_parameters():
        if name.endswith("bias"):
            weight.normal_(std=0.1)
        elif weight.dim() > 1:
            weight.normal_(std=3 * weight.shape[1] ** -0.5)
    tokens, end = made.decoder.token_embedding.weight, vocabulary(multilingual=multilingual).end
    tokens.normal_(std=5 * WIDTH**-0.5)
    tokens[:, 0].mul_(0.3)
    tokens[end, 0] = 5.0
    made.decoder.ln.bias[0] = 3.0
    return made


@functools.cache
def features() -> Tensor:
    """Of the utterances, as if encoded: `(UTTERANCES, FRAMES, WIDTH)`."""
    generator = torch.Generator().manual_seed(2)
    return torch.randn(UTTERANCES, FRAMES, WIDTH, generator=generator)


class OpenAiDecoder(ScriptedDecoder):
    """A decoder that says what openai-whisper's says of one of the utterances: the script."""

    def __init__(self, made: whisper.Whisper, encoder_outs: Tensor) -> None:
        super().__init__(made.dims.n_vocab)
        self._decoder, self._encoder_outs = made.decoder, encoder_outs

    @functools.lru_cache(maxsize=1)  # noqa: B019  # nothing is kept: rows are long
    def _following(self, script: int, prefix: Prefix) -> Tensor:
        decoder = self._decoder
        embedded = decoder.token_embedding(torch.tensor([prefix]))
        x = embedded + decoder.positional_embedding[: len(prefix)]
        for block in decoder.blocks:
            x = block(x, self._encoder_outs[script : script + 1], mask=decoder.mask)
        logits: Tensor = decoder.ln(x)[0, -1] @ decoder.token_embedding.weight.T
        return logits


def ours(
    options: Sequence[DecodingOptions],
    *,
    multilingual: bool = True,
    encoder_outs: Tensor | None = None,
    together: int = 10,
) -> list[Hypothesis]:
    """The first utterances, each by its options, several in a batch."""
    encoder_outs = features() if encoder_outs is None else encoder_outs
    decoder = OpenAiDecoder(model(multilingual=multilingual), encoder_outs)
    tokenizer = vocabulary(multilingual=multilingual)
    found: dict[int, Hypothesis] = {}
    for first in range(0, len(options), together):
        group = list(range(first, min(first + together, len(options))))
        found |= _decoded(decoder, tokenizer, {each: options[each] for each in group})
    return [found[each] for each in range(len(options))]


def _decoded(
    decoder: OpenAiDecoder, tokenizer: WhisperTokenizer, options: dict[int, DecodingOptions]
) -> dict[int, Hypothesis]:
    policy = WhisperPolicy(tokenizer, CONTEXT)
    slots = sum(each.beam_size for each in options.values())
    cache = new_cache(decoder.decoder, slots=slots, max_frames=40)
    continuous = ContinuousDecoder(decoder.decoder, cache, special=tokenizer.special)
    running = {}
    for number, each in options.items():
        policy.check(each)
        passes = policy.passes(each, UtteranceFacts())
        running[continuous.join_passes(remembered(number), passes)] = number
    found = {}
    while running:
        for decoding in continuous.step():
            continuous.leave(decoding)
            assert decoding.error is None
            found[running.pop(decoding)] = decoding.result
    assert continuous.free_slots == slots
    return found


def theirs(
    options: whisper.DecodingOptions,
    *,
    multilingual: bool = True,
    utterances: Sequence[int] = range(UTTERANCES),
) -> list[whisper.DecodingResult]:
    """Utterances by openai-whisper, by default all of them, all by the same options.

    One by one: what is encoded already it does not repeat for a beam.
    """
    options = replace(options, fp16=False, max_initial_timestamp=LATEST_FIRST)
    made = model(multilingual=multilingual)
    return [whisper.decode(made, features()[each], options) for each in utterances]
