"""Whisper (Radford et al. 2022), every size, Distil-Whisper and turbo included."""

from collections.abc import Iterator
from itertools import chain

from auricle.config import FeatureConfig, ModelConfig, SpecialTokens, TransformerConfig, strided
from auricle.families.description import Description
from auricle.families.family import Family
from auricle.families.parts import Part, Source, Sources, same, stacked
from auricle_types.errors import CorruptCheckpointError

FRAMES_A_SECOND = 50  # of the encoder
MARGIN_SECONDS = 2.56  # 128 frames: what others found harmless
TAUGHT_MARGIN_SECONDS = 0.5  # of a model that was taught short contexts


def _configure(about: Description) -> ModelConfig:
    about.require("activation_function", "gelu")
    about.require("scale_embedding", False)
    n_mels = about.get("num_mel_bins", int)
    about.agree("feature_size", n_mels)
    tokens, transformer = _tokens(about), _transformer(about)
    short = bool(about.config.get("short_context"))
    return ModelConfig(
        name=about.name,
        family="whisper",
        language="multilingual" if "lang_to_id" in about.generation else "en",
        window_seconds=about.get("max_source_positions", int) / FRAMES_A_SECOND,
        tokens_per_second=25.0,
        audio_context="auto" if short else "full",
        margin_seconds=TAUGHT_MARGIN_SECONDS if short else MARGIN_SECONDS,
        short_context=short,
        tokenizer="whisper",
        tokens=tokens,
        features=FeatureConfig(n_mels=n_mels, kind="whisper"),
        transformer=transformer,
        alignment_heads=_alignment_heads(about, transformer),
    )


def _transformer(about: Description) -> TransformerConfig:
    return TransformerConfig(
        vocab_size=about.get("vocab_size", int),
        d_model=about.get("d_model", int),
        n_heads=about.count("encoder_attention_heads", "decoder_attention_heads"),
        encoder_layers=about.get("encoder_layers", int),
        decoder_layers=about.get("decoder_layers", int),
        ffn_dim=about.count("encoder_ffn_dim", "decoder_ffn_dim"),
        stem=strided(1, 2),
        conv_kernel=0,
        positions="learned",
        max_frames=about.get("max_source_positions", int),
        max_tokens=about.get("max_target_positions", int),
        scale_embedding=False,
        tied=about.config.get("tie_word_embeddings", True),
        ctc=False,
        dropout=0.0,
    )


def _alignment_heads(about: Description, config: TransformerConfig) -> tuple[tuple[int, int], ...]:
    """Those of the generation config; none where these are of the model that it was distilled of.

    Raises CorruptCheckpointError where they are no pairs.
    """
    listed = about.generation.get("alignment_heads") or ()
    try:
        heads = tuple((int(layer), int(head)) for layer, head in listed)
    except (TypeError, ValueError) as error:
        raise CorruptCheckpointError(
            f"{about.name}: alignment_heads must be pairs of a layer and a head, not {listed!r}"
        ) from error
    layers, width = range(config.decoder_layers), range(config.n_heads)
    return heads if all(layer in layers and head in width for layer, head in heads) else ()


def _tokens(about: Description) -> SpecialTokens:
    """With the prompt of who asks for nothing: English, to be transcribed, without timestamps."""
    said = about.generation
    language = said.get("lang_to_id", {}).get("<|en|>")
    task = said.get("task_to_id", {}).get("transcribe")
    prompt = (about.token("decoder_start_token_id"), language, task)
    start = [*prompt, said.get("no_timestamps_token_id")]
    silent = said.get("suppress_tokens") or about.config.get("suppress_tokens") or ()
    return SpecialTokens(
        start=tuple(token for token in start if token is not None),
        end=about.token("eos_token_id"),
        silent=tuple(silent),
    )


def _sources(config: TransformerConfig) -> Sources:
    """By the names of the Hub's files."""
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
    return tuple(Part(None if kind == "k" else f"{heads}.{kind}_proj.bias") for kind in kinds)


WHISPER = Family("whisper", "Whisper, Distil-Whisper", _configure, _sources)
