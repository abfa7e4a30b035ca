"""The dimensions of a Whisper model, from the JSON files of its folder."""

from auricle.config import FeatureConfig, ModelConfig, SpecialTokens, TransformerConfig, strided
from auricle.families.description import Description
from auricle_types.errors import CorruptCheckpointError

FRAMES_A_SECOND = 50  # of the encoder
MARGIN_SECONDS = 2.56  # 128 frames: what others found harmless
TAUGHT_MARGIN_SECONDS = 0.5  # of a model that was taught short contexts


def configure(about: Description) -> ModelConfig:
    """Make our config of what the files say. Raises a ModelError: they contradict."""
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
    """Read the generation config; no heads where they belong to the model it was distilled from.

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
    """The prompt is that of plain options: English, to be transcribed, without timestamps."""
    generation = about.generation
    language = generation.get("lang_to_id", {}).get("<|en|>")
    task = generation.get("task_to_id", {}).get("transcribe")
    prompt = (about.token("decoder_start_token_id"), language, task)
    start = [*prompt, generation.get("no_timestamps_token_id")]
    suppressed = generation.get("suppress_tokens") or about.config.get("suppress_tokens") or ()
    return SpecialTokens(
        start=tuple(token for token in start if token is not None),
        end=about.token("eos_token_id"),
        suppressed=tuple(suppressed),
    )
