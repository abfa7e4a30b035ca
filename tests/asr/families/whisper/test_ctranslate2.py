"""Folders of CTranslate2: each quantization, as the Hub's folder of the model, and spoiled ones."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auricle.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from auricle.families.whisper.model_bin import read_variables
from auricle.pretrained import describe, load_pretrained
from auricle_types.errors import (
    CheckpointMismatchError,
    CorruptCheckpointError,
    InvalidOptionError,
    ModelError,
    TokenizerMissingError,
    UnknownArchitectureError,
    UnknownModelError,
)
from benchmarks.real_weights import BASE, TINY_EN, MissingWeightsError, RealWeights
from benchmarks.real_weights import folder as folder_of
from tests.asr.families.peers import (
    ALIGNMENT_HEADS,
    Peer,
    hub_whisper,
    save,
    write_tokenizer,
)
from tests.asr.families.whisper.ct2 import QUANTIZATIONS, convert, published
from tests.asr.families.whisper.model_bins import Array, write_model_bin
from tests.asr.tokenizer.unicode_lines import short_vocabulary, vocabulary

DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16}
STEPS = {"int8": 127, "int16": 1_024}  # of the largest value
Change = Callable[[dict[str, Array]], object]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return published(tmp_path_factory.mktemp("hub") / "small", short_vocabulary())


@pytest.fixture(scope="module")
def saved(hub: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return convert(hub, tmp_path_factory.mktemp("converted") / "small")


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    """A copy of a good one, to be spoiled."""
    copy: Path = shutil.copytree(saved, tmp_path / "small")
    return copy


def assert_near(found: Checkpoint, expected: Checkpoint, quantization: str) -> None:
    weights = expected.model.state_dict()
    for name, weight in found.model.state_dict().items():
        other = weights[name]
        kind, _, rest = quantization.partition("_")
        if quantization in DTYPES:
            assert torch.equal(weight, other.to(DTYPES[quantization]).float())
        elif kind in STEPS:
            step = float(other.abs().max()) / STEPS[kind]
            rounding = 2**-8 * float(other.abs().max()) if rest in DTYPES else 0.0
            assert float((weight - other).abs().max()) <= max(0.51 * step, rounding)
        else:
            assert torch.equal(weight, other)


@pytest.mark.parametrize("quantization", QUANTIZATIONS)
def test_each_quantization_is_the_hubs_model(hub: Path, tmp_path: Path, quantization: str) -> None:
    found = load_pretrained(convert(hub, tmp_path / "small", quantization))
    expected = load_pretrained(hub)
    assert_near(found, expected, quantization)
    assert found.model.config == expected.model.config


@pytest.mark.parametrize("multilingual", [True, False])
def test_languages_prompt_and_silence_are_as_in_the_hubs_folder(
    tmp_path: Path, multilingual: bool
) -> None:
    hub = published(tmp_path / "hub" / "a", vocabulary(multilingual=multilingual))
    config, expected = (
        load_pretrained(each).model.config for each in (convert(hub, tmp_path / "a"), hub)
    )
    assert config == expected
    assert config.language == ("multilingual" if multilingual else "en")
    assert len(config.tokens.start) == (4 if multilingual else 2)
    assert config.alignment_heads == ALIGNMENT_HEADS
    assert len(config.tokens.suppressed) > 80


@pytest.mark.parametrize(
    ("weights", "start", "language"),
    [(TINY_EN, (50_257, 50_362), "en"), (BASE, (50_258, 50_259, 50_359, 50_363), "multilingual")],
    ids=["tiny.en", "base"],
)
def test_published_weights_are_what_they_are_known_for(
    weights: RealWeights, start: tuple[int, ...], language: str
) -> None:
    try:
        path = folder_of(weights)
    except MissingWeightsError as missing:
        pytest.skip(str(missing))
    config, _ = describe(path)
    listed = json.loads((path / "config.json").read_text())
    assert (config.language, config.tokens.start) == (language, start)
    assert list(config.tokens.suppressed) == listed["suppress_ids"]
    assert [list(each) for each in config.alignment_heads] == listed["alignment_heads"]


def test_other_sizes_and_128_bins(tmp_path: Path) -> None:
    hub = tmp_path / "hub"
    heads = dict.fromkeys(("encoder_attention_heads", "decoder_attention_heads"), 4)
    layers = {"encoder_layers": 3, "decoder_layers": 1}
    size = short_vocabulary().vocab_size
    save(hub_whisper(num_mel_bins=128, d_model=48, vocab_size=size, **heads, **layers), hub)
    (hub / "tokenizer.json").write_bytes(short_vocabulary().serialized)
    folder = convert(hub, tmp_path / "a")
    (folder / "preprocessor_config.json").write_text('{"feature_size": 128}')
    found = load_pretrained(folder)
    assert_near(found, load_pretrained(hub), "float32")
    assert found.model.config.features.n_mels == 128
    (folder / "preprocessor_config.json").write_text('{"feature_size": 80}')
    with pytest.raises(CheckpointMismatchError, match=r"preprocessor_config\.json"):
        load_pretrained(folder)


def test_logits_of_their_own(tmp_path: Path) -> None:
    theirs: Peer = hub_whisper(tie_word_embeddings=False, vocab_size=short_vocabulary().vocab_size)
    save(theirs, tmp_path / "hub")
    (tmp_path / "hub" / "tokenizer.json").write_bytes(short_vocabulary().serialized)
    found = load_pretrained(convert(tmp_path / "hub", tmp_path / "untied"))
    assert not found.model.config.transformer.tied
    weights = found.model.state_dict()
    assert torch.equal(weights["decoder.unembedding.weight"], theirs.proj_out.weight)
    assert torch.equal(
        weights["decoder.embedding.weight"], theirs.model.decoder.embed_tokens.weight
    )


@pytest.mark.parametrize("name", ["", "model.bin", "config.json"])
def test_a_folder_may_be_given_by_its_files(saved: Path, name: str) -> None:
    assert load_pretrained(saved / name).model.config.name == "small"
    config, parameters = describe(saved / name)
    model = load_pretrained(saved).model
    assert config == model.config
    assert parameters == sum(weight.numel() for weight in model.parameters())


@pytest.mark.parametrize("name", ["vocabulary.json", "vocabulary.txt"])
def test_a_list_of_tokens_is_vocabulary_enough(folder: Path, name: str) -> None:
    expected = load_pretrained(folder)
    tokens = json.loads((folder / "vocabulary.json").read_text())
    for each in ("tokenizer.json", "vocabulary.json"):
        (folder / each).unlink()
    text = json.dumps(tokens) if name.endswith("json") else "\n".join([*tokens, ""])
    (folder / name).write_text(text, encoding="utf-8")
    found = load_pretrained(folder)
    assert found.model.config == expected.model.config
    assert found.tokenizer.special == expected.tokenizer.special
    assert found.tokenizer.encode("What, you?") == expected.tokenizer.encode("What, you?")


def test_saved_as_our_own_it_is_the_same(saved: Path, tmp_path: Path) -> None:
    checkpoint = load_pretrained(saved)
    save_checkpoint(tmp_path / "a.safetensors", checkpoint.model, checkpoint.tokenizer)
    assert_near(load_checkpoint(tmp_path / "a.safetensors"), checkpoint, "float32")


def test_weights_come_in_the_dtype_that_is_asked_for(saved: Path) -> None:
    whole = load_pretrained(saved).model.state_dict()
    for name, weight in load_pretrained(saved, dtype=torch.bfloat16).model.state_dict().items():
        assert torch.equal(weight, whole[name].bfloat16())


def test_a_language_model_is_for_models_of_our_own(saved: Path) -> None:
    with pytest.raises(InvalidOptionError, match="our own"):
        load_pretrained(saved, lm=saved / "lm")


def test_the_hubs_weights_beside_it_come_first(hub: Path, tmp_path: Path) -> None:
    both: Path = shutil.copytree(hub, tmp_path / "both")
    (both / "model.bin").write_bytes(b"another framework's")
    assert load_pretrained(both).model.config.name == "both"


@pytest.mark.parametrize(
    ("missing", "kind"),
    [
        (["model.bin"], UnknownModelError),
        (["config.json"], UnknownModelError),
        (["tokenizer.json", "vocabulary.json"], TokenizerMissingError),
    ],
)
def test_missing_files_are_named(folder: Path, missing: list[str], kind: type[ModelError]) -> None:
    for name in missing:
        (folder / name).unlink()
    with pytest.raises(kind, match=missing[0]):
        load_pretrained(folder)


def rewrite(folder: Path, change: Change) -> None:
    """Read the folder's variables, change them, and write them again."""
    path = folder / "model.bin"
    raw = path.read_bytes()
    found = read_variables(path)
    arrays: dict[str, Array] = {
        each.name: np.frombuffer(raw, each.stored, each.nbytes // each.stored.itemsize, each.offset)
        .reshape(each.shape)
        .copy()
        for each in found.values()
    }
    aliases = {name: each.name for name, each in found.items() if name != each.name}
    change(arrays)
    kept = [pair for pair in aliases.items() if pair[0] not in arrays and pair[1] in arrays]
    write_model_bin(path, arrays, kept)


SPOILED: dict[str, tuple[Change, type[ModelError], str]] = {
    "missing": (
        lambda arrays: arrays.pop("encoder/layer_1/ffn/linear_1/bias"),
        CheckpointMismatchError,
        "missing encoder/layer_1/ffn/linear_1/bias",
    ),
    "unexpected": (
        lambda arrays: arrays.update({"decoder/project_in/weight": np.ones(2, np.float32)}),
        CheckpointMismatchError,
        "unexpected decoder/project_in/weight",
    ),
    "mis-shaped": (
        lambda arrays: arrays.update({"encoder/conv2/bias": np.ones(7, np.float32)}),
        CheckpointMismatchError,
        r"encoder/conv2/bias is \(7,\), not \(32,\)",
    ),
    "no embedding": (
        lambda arrays: arrays.pop("decoder/embeddings/weight"),
        CheckpointMismatchError,
        "no decoder/embeddings/weight of 2 dimensions",
    ),
    "a matrix without dimensions": (
        lambda arrays: arrays.update({"encoder/conv1/weight": np.array(0, np.float32)}),
        CheckpointMismatchError,
        "no encoder/conv1/weight of 3 dimensions",
    ),
    "no layers": (
        lambda arrays: [arrays.pop(name) for name in list(arrays) if "encoder/layer_0" in name],
        CheckpointMismatchError,
        "no encoder/layer_0/ffn",
    ),
    "another activation": (
        lambda arrays: arrays.update({"decoder/activation": np.array(1, np.int8)}),
        UnknownArchitectureError,
        "decoder/activation is 1, not 3",
    ),
    "no activation": (
        lambda arrays: arrays.pop("decoder/activation"),
        UnknownArchitectureError,
        "decoder/activation is 0, not 3",
    ),
    "something new": (
        lambda arrays: arrays.update({"decoder/final_logit_softcapping": np.array(30, np.float32)}),
        UnknownArchitectureError,
        "decoder/final_logit_softcapping is 30, not 0",
    ),
    "no heads": (
        lambda arrays: arrays.pop("encoder/num_heads"),
        CorruptCheckpointError,
        "encoder/num_heads",
    ),
    "negative heads": (
        lambda arrays: arrays.update({"decoder/num_heads": np.array(-2, np.int16)}),
        CorruptCheckpointError,
        "decoder/num_heads",
    ),
    "heads that do not fit": (
        lambda arrays: arrays.update(
            dict.fromkeys(("encoder/num_heads", "decoder/num_heads"), np.array(5, np.int16))
        ),
        CorruptCheckpointError,
        "n_heads=5",
    ),
    "too many layers": (
        lambda arrays: arrays.update(
            {f"decoder/layer_{at}/a": np.ones(1, np.int32) for at in range(9)}
        ),
        UnknownArchitectureError,
        "packed in int32",
    ),
    "thousands of layers": (
        lambda arrays: arrays.update(
            {f"decoder/layer_{at}/a": np.ones(1, np.float32) for at in range(1_100)}
        ),
        UnknownArchitectureError,
        "1100 layers in the decoder",
    ),
    "not finite": (
        lambda arrays: arrays["encoder/conv1/bias"].fill(np.nan),
        CorruptCheckpointError,
        "NaN or infinite weights in encoder.subsampling",
    ),
}


@pytest.mark.parametrize("case", SPOILED)
def test_what_is_wrong_is_named(folder: Path, case: str) -> None:
    change, kind, told = SPOILED[case]
    rewrite(folder, change)
    with pytest.raises(kind, match=told) as caught:
        load_pretrained(folder)
    assert "small" in str(caught.value)


def test_faults_are_listed_together(folder: Path) -> None:
    rewrite(folder, lambda arrays: [arrays.pop(name) for name in list(arrays) if "beta" in name])
    with pytest.raises(CheckpointMismatchError) as caught:
        load_pretrained(folder)
    assert str(caught.value).count("missing") >= 12


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"suppress_ids": ["a"]}, "suppress_ids"),
        ({"suppress_ids": 3}, "suppress_ids"),
        ({"alignment_heads": [[1]]}, "alignment_heads"),
        ({"alignment_heads": 3}, "alignment_heads|config.json"),
        ({"suppress_ids": [1_000_000]}, "beyond its vocabulary"),
    ],
)
def test_a_config_that_no_model_has(folder: Path, values: dict[str, Any], told: str) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | values))
    with pytest.raises(ModelError, match=told):
        load_pretrained(folder)


def test_nothing_is_suppressed_where_config_says_so(folder: Path) -> None:
    (folder / "config.json").write_text("{}")
    config = load_pretrained(folder).model.config
    assert (config.tokens.suppressed, config.alignment_heads) == ((), ())


@pytest.mark.parametrize("text", ["", "[]", "3"])
def test_a_config_that_is_none(folder: Path, text: str) -> None:
    (folder / "config.json").write_text(text)
    with pytest.raises(CorruptCheckpointError, match=r"config\.json"):
        load_pretrained(folder)


@pytest.mark.parametrize("text", ["", "{}", "[1, 2]", '["a", "b"]', '["<|endoftext|>"]'])
def test_a_list_that_is_none(folder: Path, text: str) -> None:
    (folder / "tokenizer.json").unlink()
    (folder / "vocabulary.json").write_text(text)
    with pytest.raises(CorruptCheckpointError, match="no readable vocabulary"):
        load_pretrained(folder)


def test_a_vocabulary_of_another_model(folder: Path) -> None:
    write_tokenizer(folder, 5_000)
    with pytest.raises(ModelError, match=r"take .* the same model"):
        load_pretrained(folder)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_anywhere_it_is_loaded_or_refused(
    saved: Path, tmp_path: Path, data: st.DataObject
) -> None:
    """Bytes of the headers, mostly: those of tensors are numbers, whatever they are."""
    raw = bytearray((saved / "model.bin").read_bytes())
    headers = [
        each.offset - back
        for each in read_variables(saved / "model.bin").values()
        for back in range(1, 20)
    ]
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(headers) | st.integers(0, len(raw) - 1))
        raw[place] = data.draw(st.integers(0, 255))
    end = data.draw(st.just(len(raw)) | st.integers(0, len(raw)))
    folder: Path = shutil.copytree(saved, tmp_path / "small", dirs_exist_ok=True)
    (folder / "model.bin").write_bytes(raw[:end])
    try:
        load_pretrained(folder)
    except ModelError:
        return
