"""The weights of a Moonshine model by the names of the Hub's files."""

from collections.abc import Iterator
from itertools import chain

from auricle.config import TransformerConfig
from auricle.families.parts import Source, Sources, WeightPart, same, stacked


def sources(config: TransformerConfig) -> Sources:
    """Say which of the Hub's weights make up each of ours."""
    encoder, decoder = "model.encoder", "model.decoder"
    return dict(
        chain(
            same("encoder.subsampling.convs.0", f"{encoder}.conv1", "weight"),
            same("encoder.subsampling.norms.0", f"{encoder}.groupnorm"),
            same("encoder.subsampling.convs.1", f"{encoder}.conv2"),
            same("encoder.subsampling.convs.2", f"{encoder}.conv3"),
            *(_layer("encoder", n, config) for n in range(config.encoder_layers)),
            same("encoder.norm", f"{encoder}.layer_norm", "weight"),
            same("decoder.embedding", f"{decoder}.embed_tokens", "weight"),
            *(_layer("decoder", n, config) for n in range(config.decoder_layers)),
            *(_cross(n) for n in range(config.decoder_layers)),
            same("decoder.norm", f"{decoder}.norm", "weight"),
            () if config.tied else same("decoder.unembedding", "proj_out", "weight"),
        )
    )


def _layer(side: str, number: int, config: TransformerConfig) -> Iterator[tuple[str, Source]]:
    ours, theirs = f"{side}.layers.{number}", f"model.{side}.layers.{number}"
    last = "post_attention_layernorm" if side == "encoder" else "final_layernorm"
    yield from same(f"{ours}.attention_norm", f"{theirs}.input_layernorm", "weight")
    yield f"{ours}.attention.qkv.weight", _heads(f"{theirs}.self_attn", config)
    yield from same(f"{ours}.attention.out", f"{theirs}.self_attn.o_proj", "weight")
    yield from same(f"{ours}.ffn_norm", f"{theirs}.{last}", "weight")
    yield from same(f"{ours}.ffn.0", f"{theirs}.mlp.fc1")
    yield from same(f"{ours}.ffn.2", f"{theirs}.mlp.fc2")


def _cross(number: int) -> Iterator[tuple[str, Source]]:
    ours, theirs = f"decoder.layers.{number}", f"model.decoder.layers.{number}"
    heads = f"{theirs}.encoder_attn"
    yield from same(f"{ours}.cross_norm", f"{theirs}.post_attention_layernorm", "weight")
    yield from same(f"{ours}.cross_attention.query", f"{heads}.q_proj", "weight")
    both = [f"{heads}.{kind}_proj.weight" for kind in "kv"]
    yield stacked(f"{ours}.cross_attention.key_value.weight", both)
    yield from same(f"{ours}.cross_attention.out", f"{heads}.o_proj", "weight")


def _heads(theirs: str, config: TransformerConfig) -> Source:
    """Reorder rows: theirs turn neighbouring dimensions, ours turn the two halves."""
    turning = config.rotary_dim or config.head_dim
    within = [*range(0, turning, 2), *range(1, turning, 2), *range(turning, config.head_dim)]
    starts = range(0, config.d_model, config.head_dim)
    order = tuple(start + row for start in starts for row in within)
    names = (f"{theirs}.{kind}_proj.weight" for kind in "qkv")
    return tuple(WeightPart(name, order if at < 2 else None) for at, name in enumerate(names))
