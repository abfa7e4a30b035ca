"""A run begins anew, or with a checkpoint's weights and tokenizer."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from auricle.checkpoint import save_checkpoint
from auricle.config import ModelConfig
from auricle.model import SpeechTransformer
from auricle.tokenizer import Tokenizer
from auricle.training import beginning
from auricle.training.config import TrainingConfig
from auricle.training.trainer import Trainer
from auricle_types.errors import CheckpointMismatchError, CorruptCheckpointError, UnknownModelError
from tests.asr.tiny import SENTENCES, VOCAB_SIZE, tiny_config, tiny_model, write_tiny_checkpoint
from tests.asr.training.runs import tiny_run

OTHER_TEXTS = [sentence[::-1] for sentence in SENTENCES]


def fine_tuning(folder: Path) -> TrainingConfig:
    return replace(tiny_run(folder, epochs=1), init=write_tiny_checkpoint(folder))


def with_dims(config: TrainingConfig, **dims: object) -> TrainingConfig:
    transformer = replace(config.model.transformer, **dims)  # type: ignore[arg-type]
    return replace(config, model=replace(config.model, transformer=transformer))


def test_a_run_begins_with_the_weights_and_the_tokenizer(tmp_path: Path) -> None:
    model, tokenizer = tiny_model(), Tokenizer.train(OTHER_TEXTS, VOCAB_SIZE)
    config = fine_tuning(tmp_path)
    assert config.init is not None
    save_checkpoint(config.init, model, tokenizer)
    trainer = Trainer(config)
    assert trainer.tokenizer.serialized == tokenizer.serialized
    for found in (trainer.state.model, trainer.state.averaged_model):
        for name, weight in model.state_dict().items():
            assert torch.equal(found.state_dict()[name], weight), name
    assert all(weight.requires_grad for weight in trainer.state.model.parameters())


def test_without_one_weights_are_new_and_the_tokenizer_is_learnt(tmp_path: Path) -> None:
    config = tiny_run(tmp_path)
    config.output.mkdir()
    found = beginning.tokenizer(config, list(SENTENCES))
    assert found.serialized == Tokenizer.train(SENTENCES, VOCAB_SIZE).serialized
    torch.manual_seed(1)
    model = beginning.model(config)
    torch.manual_seed(1)
    assert torch.equal(model.ctc.weight, SpeechTransformer(config.model).ctc.weight)


def test_training_goes_on_from_there(tmp_path: Path) -> None:
    trainer = Trainer(fine_tuning(tmp_path))
    trainer.run()
    weight = trainer.state.model.ctc.weight
    assert not torch.equal(weight, tiny_model().ctc.weight)
    torch.testing.assert_close(weight.detach(), tiny_model().ctc.weight, atol=0.02, rtol=0)


@pytest.mark.parametrize(
    ("dims", "named"),
    [
        ({"ffn_dim": 96}, "ffn_dim is 64, the recipe's 96"),
        ({"conv_kernel": 0}, "conv_kernel is 15, the recipe's 0"),
        ({"positions": "sinusoidal"}, "positions is 'rotary', the recipe's 'sinusoidal'"),
    ],
)
def test_another_model_is_named(tmp_path: Path, dims: dict[str, object], named: str) -> None:
    config = with_dims(fine_tuning(tmp_path), **dims)
    with pytest.raises(CheckpointMismatchError, match=named) as caught:
        beginning.model(config)
    assert str(config.init) in str(caught.value)


def test_all_differences_are_listed_features_too(tmp_path: Path) -> None:
    config = with_dims(fine_tuning(tmp_path), d_model=64, n_heads=4)
    features = replace(config.model.features, n_mels=40)
    config = replace(config, model=replace(config.model, features=features))
    with pytest.raises(CheckpointMismatchError) as caught:
        beginning.model(config)
    for name in ("d_model", "n_heads", "n_mels"):
        assert name in str(caught.value)


@pytest.mark.parametrize("resumed", [False, True])
def test_a_model_may_grow_deeper(tmp_path: Path, resumed: bool) -> None:
    dims = tiny_model().config.transformer
    more = {"encoder_layers": dims.encoder_layers + 1, "decoder_layers": dims.decoder_layers + 2}
    model = beginning.model(with_dims(fine_tuning(tmp_path), **more), resumed=resumed)
    assert len(model.encoder.layers) == dims.encoder_layers + 1
    assert len(model.decoder.layers) == dims.decoder_layers + 2
    from_there = torch.equal(model.ctc.weight, tiny_model().ctc.weight)
    assert from_there is not resumed  # then its own weights come from its state


def test_layers_that_are_too_many_are_named(tmp_path: Path) -> None:
    layers = tiny_model().config.transformer.encoder_layers
    config = with_dims(fine_tuning(tmp_path), encoder_layers=layers - 1)
    with pytest.raises(CheckpointMismatchError, match=f"encoder_layers is {layers}"):
        beginning.model(config)


def test_dropout_name_and_window_may_differ(tmp_path: Path) -> None:
    config = with_dims(fine_tuning(tmp_path), dropout=0.3)
    other: ModelConfig = replace(config.model, name="tuned", window_seconds=4.0)
    model = beginning.model(replace(config, model=other))
    assert torch.equal(model.ctc.weight, tiny_model().ctc.weight)
    assert (model.config.name, model.config.window_seconds) == ("tuned", 4.0)
    assert model.config.transformer.dropout == 0.3


def test_a_missing_checkpoint_is_named(tmp_path: Path) -> None:
    config = replace(tiny_run(tmp_path), init=tmp_path / "gone.safetensors")
    with pytest.raises(UnknownModelError, match=r"gone\.safetensors"):
        Trainer(config)


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    config = fine_tuning(tmp_path)
    assert config.init is not None
    config.init.write_bytes(config.init.read_bytes()[:100])
    with pytest.raises(CorruptCheckpointError, match=r"tiny\.safetensors"):
        Trainer(config)


def test_a_resumed_run_does_not_read_it_again(tmp_path: Path) -> None:
    config = fine_tuning(tmp_path)
    first = Trainer(config)
    first.run()
    assert config.init is not None
    config.init.unlink()
    again = Trainer(config)
    assert torch.equal(again.state.model.ctc.weight, first.state.model.ctc.weight)
    assert again.tokenizer.serialized == first.tokenizer.serialized
    with pytest.raises(UnknownModelError):
        Trainer(config, resume=False)


def test_the_tokenizer_is_the_run_s_own_once_it_began(tmp_path: Path) -> None:
    config = tiny_run(tmp_path)
    config.output.mkdir()
    first = beginning.tokenizer(config, list(SENTENCES))
    assert beginning.tokenizer(config, OTHER_TEXTS).serialized == first.serialized
    assert tiny_config().transformer.vocab_size == first.vocab_size
