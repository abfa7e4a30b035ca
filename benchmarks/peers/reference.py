"""openai-whisper: the reference implementation, its `decode` on batches."""

import torch
from torch import nn
from whisper.decoding import DecodingOptions, decode
from whisper.model import ModelDimensions, Whisper

from auricle.config import TransformerConfig
from benchmarks.peers.peer import END, Features, Generate


def openai_whisper(dims: TransformerConfig, threads: int) -> Generate:
    """`decode` in float32: on a CPU it knows nothing else."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model = Whisper(_dimensions(dims)).eval()
    nn.init.normal_(model.decoder.positional_embedding, std=0.02)  # it comes uninitialised

    def generate(features: Features, tokens: int) -> list[int]:
        options = DecodingOptions(
            language="en",
            without_timestamps=True,
            sample_len=tokens,
            suppress_tokens=[END],
            suppress_blank=False,
            fp16=False,
        )
        answers = decode(model, torch.from_numpy(features), options)
        return [len(answer.tokens) for answer in answers]

    return generate


def _dimensions(dims: TransformerConfig) -> ModelDimensions:
    return ModelDimensions(
        n_mels=80,
        n_audio_ctx=1500,
        n_audio_state=dims.d_model,
        n_audio_head=dims.n_heads,
        n_audio_layer=dims.encoder_layers,
        n_vocab=dims.vocab_size,
        n_text_ctx=448,
        n_text_state=dims.d_model,
        n_text_head=dims.n_heads,
        n_text_layer=dims.decoder_layers,
    )
