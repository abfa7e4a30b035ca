"""The dimensions of a Moonshine model, tiny or base, from the JSON files of its folder."""

from auricle.config import Convolution, FeatureConfig, ModelConfig, SpecialTokens, TransformerConfig
from auricle.families.description import Description
from auricle.model.positions import BASE
from auricle_types.errors import UnknownArchitectureError

STEM = (
    Convolution(64, kernel=127, padding=0, activation="tanh", bias=False, norm=True),
    Convolution(3, kernel=7, padding=0, width=2),
    Convolution(2, kernel=3, padding=0),
)


def configure(about: Description) -> ModelConfig:
    """Make our config of what the files say. Raises a ModelError: they contradict."""
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
        tokens=SpecialTokens(start=(start,), end=end, suppressed=()),
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
    """Read the share of a head's dimensions that turn; older files keep it at the top level."""
    rope = {**about.config, **(about.config.get("rope_parameters") or {})}
    if rope.get("rope_theta", BASE) != BASE or rope.get("rope_type", "default") != "default":
        raise UnknownArchitectureError(f"{about.name}: only plain rotary positions of base {BASE}")
    return float(rope.get("partial_rotary_factor", 0.9))
