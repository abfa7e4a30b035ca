"""What is no model, or not a whole one: typed errors that name what is wrong and what to do."""

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from auricle.pretrained import load_pretrained
from auricle_types.errors import (
    CheckpointMismatchError,
    CorruptCheckpointError,
    ModelError,
    TokenizerMissingError,
    UnknownArchitectureError,
    UnknownModelError,
    UnsafeCheckpointError,
)
from tests.asr.families.peers import (
    hub_moonshine,
    hub_whisper,
    openai_model,
    save,
    write_tokenizer,
)

Change = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved")
    save(hub_whisper(), folder / "whisper")
    save(hub_moonshine(), folder / "moonshine")
    return folder


@pytest.fixture(params=["whisper", "moonshine"])
def folder(saved: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A copy of a good one, to be spoiled."""
    copy: Path = shutil.copytree(saved / request.param, tmp_path / request.param)
    return copy


def change_json(path: Path, change: Change) -> None:
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))


def change_weights(folder: Path, change: Change) -> None:
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors")


def test_a_good_one_is_not_refused(folder: Path) -> None:
    assert load_pretrained(folder).model.config.family == folder.name
    assert load_pretrained(folder / "model.safetensors").model.config.name == folder.name


def test_a_file_beside_the_folders_own_is_what_it_says(folder: Path) -> None:
    """Not the folder's model by another's name."""
    weights = load_file(folder / "model.safetensors")
    name = "model.encoder.conv1.weight"
    save_file(weights | {name: weights[name] + 1}, folder / "finetuned.safetensors")
    own, tuned = (
        load_pretrained(folder / f"{each}.safetensors") for each in ("model", "finetuned")
    )
    changed = "encoder.subsampling.convs.0.weight"
    assert torch.equal(tuned.model.state_dict()[changed], own.model.state_dict()[changed] + 1)
    (folder / "cut.safetensors").write_bytes((folder / "finetuned.safetensors").read_bytes()[:999])
    for other in ("cut.safetensors", "tokenizer.json"):
        with pytest.raises(CorruptCheckpointError, match=other):
            load_pretrained(folder / other)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(UnknownModelError, match="no checkpoint at"):
        load_pretrained(tmp_path / "nothing")
    with pytest.raises(UnknownModelError, match=r"no config\.json"):
        load_pretrained(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "3"])
def test_a_config_that_is_none(folder: Path, text: str) -> None:
    (folder / "config.json").write_text(text)
    with pytest.raises(CorruptCheckpointError, match=r"config\.json"):
        load_pretrained(folder)


def test_an_unknown_architecture_is_named_with_the_known_ones(folder: Path) -> None:
    change_json(folder / "config.json", lambda config: config.update(model_type="wav2vec2"))
    with pytest.raises(UnknownArchitectureError) as caught:
        load_pretrained(folder)
    assert all(name in str(caught.value) for name in ("wav2vec2", "whisper", "moonshine"))


@pytest.mark.parametrize(
    ("family", "change"),
    [
        ("whisper", {"activation_function": "relu"}),
        ("whisper", {"scale_embedding": True}),
        ("whisper", {"decoder_ffn_dim": 128}),
        ("moonshine", {"decoder_hidden_act": "gelu"}),
        ("moonshine", {"encoder_num_key_value_heads": 1}),
        ("moonshine", {"rope_parameters": {"rope_theta": 5e5}}),
    ],
)
def test_what_our_blocks_do_not_do(
    saved: Path, tmp_path: Path, family: str, change: dict[str, object]
) -> None:
    folder = shutil.copytree(saved / family, tmp_path / "it")
    change_json(folder / "config.json", lambda config: config.update(change))
    with pytest.raises(UnknownArchitectureError):
        load_pretrained(folder)


@pytest.mark.parametrize("value", [None, "many", 0, -1, 33, True])
def test_dimensions_that_no_model_can_have(folder: Path, value: object) -> None:
    name = {"whisper": "d_model", "moonshine": "hidden_size"}[folder.name]
    change_json(folder / "config.json", lambda config: config.update({name: value}))
    with pytest.raises(CorruptCheckpointError, match=r"config\.json"):
        load_pretrained(folder)


def test_weights_that_do_not_fit_are_all_named(folder: Path) -> None:
    names = ("model.encoder.conv1.weight", "model.encoder.conv2.bias", "model.encoder.stranger")

    def change(weights: dict[str, Any]) -> None:
        weights[names[0]] = weights[names[0]][:3].clone()
        del weights[names[1]]
        weights[names[2]] = torch.zeros(1)

    change_weights(folder, change)
    with pytest.raises(CheckpointMismatchError) as caught:
        load_pretrained(folder)
    told = str(caught.value)
    assert f"missing {names[1]}" in told
    assert f"unexpected {names[2]}" in told
    assert f"{names[0]} is (3, " in told
    assert len(told.splitlines()) == 4


def test_a_config_of_another_size(folder: Path) -> None:
    layers = {"whisper": "decoder_layers", "moonshine": "decoder_num_hidden_layers"}[folder.name]
    change_json(folder / "config.json", lambda config: config.update({layers: 3}))
    with pytest.raises(CheckpointMismatchError, match=r"missing model\.decoder\.layers\.2"):
        load_pretrained(folder)


def test_weights_that_are_not_finite(folder: Path) -> None:
    change_weights(folder, lambda w: w["model.encoder.conv1.weight"].fill_(torch.nan))
    with pytest.raises(CorruptCheckpointError, match="NaN"):
        load_pretrained(folder)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.99])
def test_truncated_weights(folder: Path, share: float) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(CorruptCheckpointError, match="copy it again"):
        load_pretrained(folder)


def test_no_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(UnknownModelError, match=r"model\.safetensors"):
        load_pretrained(folder)


def test_shards_are_one_model(saved: Path, tmp_path: Path) -> None:
    folder = save(hub_moonshine(), tmp_path / "moonshine", shard="20KB")
    assert not (folder / "model.safetensors").exists()
    whole = load_pretrained(saved / "moonshine").model.state_dict()
    found = load_pretrained(folder).model.state_dict()
    assert all(torch.equal(found[name], weight) for name, weight in whole.items())
    sorted(folder.glob("model-*.safetensors"))[0].unlink()
    with pytest.raises(CorruptCheckpointError, match="shard is missing"):
        load_pretrained(folder)


@pytest.mark.parametrize("index", ["", "{}", '{"weight_map": 3}'])
def test_an_index_that_is_none(folder: Path, index: str) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(index)
    with pytest.raises(CorruptCheckpointError, match="no readable index"):
        load_pretrained(folder)


def test_no_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    with pytest.raises(TokenizerMissingError, match=r"tokenizer\.json"):
        load_pretrained(folder)


@pytest.mark.parametrize("size", [20, 5_000])
def test_a_tokenizer_of_another_size(folder: Path, size: int) -> None:
    write_tokenizer(folder, size)
    if folder.name == "whisper" and size == 20:
        change_json(folder / "config.json", lambda config: config.update(vocab_size=10_000))
    with pytest.raises(CheckpointMismatchError, match="pieces"):
        load_pretrained(folder)


def test_tokens_beyond_the_vocabulary(folder: Path) -> None:
    (folder / "generation_config.json").write_text('{"eos_token_id": 50257}')
    with pytest.raises(CheckpointMismatchError, match=r"50257.*generation_config\.json"):
        load_pretrained(folder)


@pytest.mark.parametrize(
    "values",
    [
        {"suppress_tokens": ["a"]},
        {"suppress_tokens": 3},
        {"lang_to_id": {"<|en|>": "50259"}},
        {"lang_to_id": [1]},
    ],
)
def test_a_generation_config_that_no_model_has(
    saved: Path, tmp_path: Path, values: dict[str, object]
) -> None:
    folder = shutil.copytree(saved / "whisper", tmp_path / "it")
    change_json(folder / "generation_config.json", lambda config: config.update(values))
    with pytest.raises(CorruptCheckpointError, match=r"generation_config\.json"):
        load_pretrained(folder)


@pytest.mark.parametrize(
    "values",
    [
        {"rope_parameters": {"partial_rotary_factor": "x"}},
        {"encoder_num_attention_heads": 0, "decoder_num_attention_heads": 0},
    ],
)
def test_a_moonshine_that_cannot_be(saved: Path, tmp_path: Path, values: dict[str, object]) -> None:
    folder = shutil.copytree(saved / "moonshine", tmp_path / "it")
    change_json(folder / "config.json", lambda config: config.update(values))
    with pytest.raises(ModelError, match="it"):
        load_pretrained(folder)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"model": 3, "added_tokens": []}'])
def test_a_tokenizer_that_is_none(folder: Path, text: str) -> None:
    (folder / "tokenizer.json").write_text(text)
    with pytest.raises(CorruptCheckpointError, match=f"{folder}: no readable vocabulary"):
        load_pretrained(folder)


def test_merges_of_another_vocabulary(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.json").write_text('{"a": 0, "b": 1}')
    (folder / "merges.txt").write_text("#version: 0.2\nc d\n")
    with pytest.raises(CorruptCheckpointError, match="from one model"):
        load_pretrained(folder)


def test_weights_that_float16_cannot_hold(folder: Path) -> None:
    change_weights(folder, lambda w: w["model.encoder.conv1.weight"].fill_(1e5))
    with pytest.raises(CorruptCheckpointError, match="choose a dtype that holds them"):
        load_pretrained(folder, dtype=torch.float16)
    load_pretrained(folder)


def test_a_pickle_with_more_languages_than_there_are(tmp_path: Path) -> None:
    model = openai_model()
    dims = vars(model.dims) | {"n_vocab": 51_867}
    torch.save({"dims": dims, "model_state_dict": model.state_dict()}, tmp_path / "a.pt")
    with pytest.raises(CorruptCheckpointError, match="no Whisper has a vocabulary of 51867"):
        load_pretrained(tmp_path / "a.pt")


def test_features_of_another_model(folder: Path) -> None:
    (folder / "preprocessor_config.json").write_text('{"feature_size": 128}')
    with pytest.raises(CheckpointMismatchError, match=r"preprocessor_config\.json"):
        load_pretrained(folder)


class Harm:
    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (Path("harm"),))


def test_code_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"dims": {}, "model_state_dict": Harm()}, tmp_path / "a.pt")
    (tmp_path / "b.pt").write_bytes(pickle.dumps(Harm()))
    for name in ("a.pt", "b.pt"):
        with pytest.raises(UnsafeCheckpointError, match=r"\.safetensors"):
            load_pretrained(tmp_path / name)
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"no model at all", bytes(100)])
def test_a_damaged_pickle(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.pt").write_bytes(data)
    with pytest.raises(CorruptCheckpointError, match="copy it again"):
        load_pretrained(tmp_path / "a.pt")


@pytest.mark.parametrize(
    "held",
    [{}, {"dims": {}}, {"dims": {}, "model_state_dict": {"a": 3}}, {"dims": {"n_vocab": 5}}],
)
def test_a_pickle_of_something_else(tmp_path: Path, held: dict[str, object]) -> None:
    torch.save(held, tmp_path / "a.pt")
    with pytest.raises(ModelError):
        load_pretrained(tmp_path / "a.pt")
