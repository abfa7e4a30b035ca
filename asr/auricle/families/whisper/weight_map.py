"""The weights of a Whisper model by the names of the Hub's files."""

from collections.abc import Iterator
from itertools import chain

from auricle.config import TransformerConfig
from auricle.families.parts import Source, Sources, WeightPart, same, stacked


def sources(config: TransformerConfig) -> Sources:
    """Say which of the Hub's weights make up each of ours."""
    encoder, decoder = "model.encoder", "model.decoder"
    return dict(
        chain(
            same("encoder.subsampling.convs.0", f"{encoder}.conv1"),
            same("encoder.subsampling.convs.1", f"{encoder}.conv2"),
            same("encoder.placement.table", f"{encoder}.embed_positions", "weight"),
            *(_layer("encoder", n) for n in range(config.encoder_layers)),
            same("encoder.norm", f"{encoder}.layer_norm"),
            same("decoder.embedding", f"{decoder}.embed_tokens", "weight"),
            same("decoder.placement.table", f"{decoder}.embed_positions", "weight"),
            *(_layer("decoder", n) for n in range(config.decoder_layers)),
            *(_cross(n) for n in range(config.decoder_layers)),
            same("decoder.norm", f"{decoder}.layer_norm"),
            () if config.tied else same("decoder.unembedding", "proj_out", "weight"),
        )
    )


def _layer(side: str, number: int) -> Iterator[tuple[str, Source]]:
    ours, theirs = f"{side}.layers.{number}", f"model.{side}.layers.{number}"
    heads = f"{theirs}.self_attn"
    yield from same(f"{ours}.attention_norm", f"{heads}_layer_norm")
    yield stacked(f"{ours}.attention.qkv.weight", [f"{heads}.{n}_proj.weight" for n in "qkv"])
    yield f"{ours}.attention.qkv.bias", _without_key(heads, "q", "k", "v")
    yield from same(f"{ours}.attention.out", f"{heads}.out_proj")
    yield from same(f"{ours}.ffn_norm", f"{theirs}.final_layer_norm")
    yield from same(f"{ours}.ffn.0", f"{theirs}.fc1")
    yield from same(f"{ours}.ffn.2", f"{theirs}.fc2")


def _cross(number: int) -> Iterator[tuple[str, Source]]:
    ours = f"decoder.layers.{number}.cross_attention"
    theirs = f"model.decoder.layers.{number}.encoder_attn"
    yield from same(f"decoder.layers.{number}.cross_norm", f"{theirs}_layer_norm")
    yield from same(f"{ours}.query", f"{theirs}.q_proj")
    yield stacked(f"{ours}.key_value.weight", [f"{theirs}.{n}_proj.weight" for n in "kv"])
    yield f"{ours}.key_value.bias", _without_key(theirs, "k", "v")
    yield from same(f"{ours}.out", f"{theirs}.out_proj")


def _without_key(heads: str, *kinds: str) -> Source:
    """Keys have no bias: it would add the same to all scores of a query, which softmax ignores."""
    return tuple(WeightPart(None if kind == "k" else f"{heads}.{kind}_proj.bias") for kind in kinds)
