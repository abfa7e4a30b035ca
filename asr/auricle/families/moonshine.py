"""Moonshine (Jeffries et al. 2024), tiny and base: from samples to text without padding."""

from collections.abc import Iterator
from itertools import chain

from auricle.config import Convolution, FeatureConfig, ModelConfig, SpecialTokens, TransformerConfig
from auricle.families.description import Description
from auricle.families.family import Family
from auricle.families.parts import Part, Source, Sources, same, stacked
from auricle.model.positions import BASE
from auricle_types.errors import UnknownArchitectureError

STEM = (
    Convolution(64, kernel=127, padding=0, activation="tanh", bias=False, norm=True),
    Convolution(3, kernel=7, padding=0, width=2),
    Convolution(2, kernel=3, padding=0),
)


def _configure(about: Description) -> ModelConfig:
    about.require("encoder_hidden_act", "gelu")
    about.require("decoder_hidden_act", "silu")
    about.require("attention_bias", False)
    about.agree("feature_size", 1)
    about.agree("do_normalize", False)
    start, end = about.token("decoder_start_token_id"), about.token("eos_token_id")
    return ModelConfig(
        name=about.name,
        family="moonshine",
        window_seconds=30.0,
        tokens_per_second=6.5,  # its authors' limit
        tokenizer="byte_pairs",
        tokens=SpecialTokens(start=(start,), end=end, silent=()),
        features=FeatureConfig(n_mels=1, hop_length=1, kind="samples"),
        transformer=_transformer(about),
    )


def _transformer(about: Description) -> TransformerConfig:
    heads = ("encoder_num_attention_heads", "decoder_num_attention_heads")
    n_heads = about.count(*heads)
    for side in ("encoder", "decoder"):
        about.require(f"{side}_num_key_value_heads", n_heads, None)
    d_model = about.get("hidden_size", int)
    return TransformerConfig(
        vocab_size=about.get("vocab_size", int),
        d_model=d_model,
        n_heads=n_heads,
        encoder_layers=about.get("encoder_num_hidden_layers", int),
        decoder_layers=about.get("decoder_num_hidden_layers", int),
        ffn_dim=about.get("intermediate_size", int),
        stem=STEM,
        conv_kernel=0,
        rotary_dim=int(d_model // n_heads * _turning_share(about)),
        max_tokens=about.get("max_position_embeddings", int),
        decoder_ffn="swiglu",
        attention_bias=False,
        norm_bias=False,
        scale_embedding=False,
        tied=about.config.get("tie_word_embeddings", True),
        ctc=False,
        dropout=0.0,
    )


def _turning_share(about: Description) -> float:
    """Of a head's dimensions; older files say it, and the base, by themselves."""
    rope = {**about.config, **(about.config.get("rope_parameters") or {})}
    if rope.get("rope_theta", BASE) != BASE or rope.get("rope_type", "default") != "default":
        raise UnknownArchitectureError(f"{about.name}: only plain rotary positions of base {BASE}")
    return float(rope.get("partial_rotary_factor", 0.9))


def _sources(config: TransformerConfig) -> Sources:
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
    """Theirs turn neighbouring dimensions, ours the two halves: so rows change places."""
    turning = config.rotary_dim or config.head_dim
    within = [*range(0, turning, 2), *range(1, turning, 2), *range(turning, config.head_dim)]
    starts = range(0, config.d_model, config.head_dim)
    order = tuple(start + row for start in starts for row in within)
    names = (f"{theirs}.{kind}_proj.weight" for kind in "qkv")
    return tuple(Part(name, order if at < 2 else None) for at, name in enumerate(names))


MOONSHINE = Family("moonshine", "Moonshine", _configure, _sources)
