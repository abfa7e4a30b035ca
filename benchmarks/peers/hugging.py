"""A Whisper of random weights for transformers, and its `generate`."""

import torch
from transformers import GenerationConfig, WhisperConfig, WhisperForConditionalGeneration
from transformers.utils import logging

from auricle.config import TransformerConfig
from benchmarks.peers.peer import END, PROMPT, Features, Generate


def whisper(dims: TransformerConfig) -> WhisperForConditionalGeneration:
    """Random weights in the shape of `dims`."""
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.manual_seed(0)
    config = WhisperConfig(
        vocab_size=dims.vocab_size,
        d_model=dims.d_model,
        encoder_layers=dims.encoder_layers,
        decoder_layers=dims.decoder_layers,
        encoder_attention_heads=dims.n_heads,
        decoder_attention_heads=dims.n_heads,
        encoder_ffn_dim=dims.ffn_dim,
        decoder_ffn_dim=dims.ffn_dim,
        suppress_tokens=None,
        begin_suppress_tokens=None,
    )
    return WhisperForConditionalGeneration(config).eval()


def float32(dims: TransformerConfig, threads: int) -> Generate:
    """`generate` with full precision and scaled dot product attention."""
    torch.set_num_threads(threads)
    model = whisper(dims)
    model.generation_config = GenerationConfig(
        eos_token_id=END, pad_token_id=END, decoder_start_token_id=PROMPT[0]
    )

    def generate(features: Features, tokens: int) -> list[int]:
        prompt = torch.tensor([PROMPT] * len(features))
        answers = model.generate(
            torch.from_numpy(features),
            decoder_input_ids=prompt,
            min_new_tokens=tokens,
            max_new_tokens=tokens,
            do_sample=False,
        )
        return [int((answer != END).sum()) for answer in answers]  # it leaves the prompt out

    return generate
