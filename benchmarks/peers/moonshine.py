"""A Moonshine of random weights for transformers, and its `generate` on padded batches."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import GenerationConfig, MoonshineConfig, MoonshineForConditionalGeneration
from transformers.utils import logging

from auricle.config import SAMPLE_RATE, TransformerConfig
from benchmarks.rounds import MiscountError

START, END = 1, 2


@torch.no_grad()
def moonshine(dims: TransformerConfig) -> MoonshineForConditionalGeneration:
    """Random weights in the shape of `dims`; END is never the likeliest."""
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.manual_seed(0)
    config = MoonshineConfig(
        vocab_size=dims.vocab_size,
        hidden_size=dims.d_model,
        intermediate_size=dims.ffn_dim,
        encoder_num_hidden_layers=dims.encoder_layers,
        decoder_num_hidden_layers=dims.decoder_layers,
        encoder_num_attention_heads=dims.n_heads,
        decoder_num_attention_heads=dims.n_heads,
        max_position_embeddings=194,
        pad_head_dim_to_multiple_of=8,
        pad_token_id=END,
        decoder_start_token_id=START,
        eos_token_id=END,
    )
    model = MoonshineForConditionalGeneration(config).eval()
    model.get_input_embeddings().weight[END] = 0.0
    return model


class Moonshine:
    """A contestant: neighbours in length share a batch, padded to the longest."""

    def __init__(
        self,
        name: str,
        model: MoonshineForConditionalGeneration,
        waveforms: Sequence[npt.NDArray[np.float32]],
        *,
        batch_size: int,
        tokens: int,
        beam_size: int,
    ) -> None:
        self.name = name
        self._model = model
        self._samples = sorted((torch.from_numpy(each) for each in waveforms), key=len)
        self._batch_size = batch_size
        self._tokens = tokens
        self._beam_size = beam_size
        model.generation_config = GenerationConfig(
            eos_token_id=END, pad_token_id=END, decoder_start_token_id=START
        )

    @property
    def audio_seconds(self) -> float:
        """Seconds of audio in one run."""
        return sum(map(len, self._samples)) / SAMPLE_RATE

    def run(self) -> None:
        """Decode all, batch by batch."""
        size = self._batch_size
        for first in range(0, len(self._samples), size):
            counts = self._generate(self._samples[first : first + size])
            MiscountError.check(self.name, counts, self._tokens)

    def facts(self) -> dict[str, Any]:
        """The batch size; its features are the samples themselves."""
        return {"batch_size": self._batch_size, "utterances": len(self._samples)}

    def _generate(self, samples: Sequence[Tensor]) -> list[int]:
        padded = pad_sequence(list(samples), batch_first=True)  # (B, S)
        mask = pad_sequence([torch.ones(len(each), dtype=torch.int64) for each in samples], True)
        answers = self._model.generate(
            padded.to(self._model.dtype),
            attention_mask=mask,
            min_new_tokens=self._tokens,
            max_new_tokens=self._tokens,
            do_sample=False,
            num_beams=self._beam_size,
        )
        return [int((answer[1:] != END).sum()) for answer in answers]  # START comes first
