"""Both heads, and the middle layer's."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from auricle.tokenizer import Tokenizer
from auricle.training.config import LossConfig, TrainingConfig
from auricle.training.distributed import World
from auricle.training.loss import joint_loss
from auricle.training.network import Network, network_of
from auricle.training.trainer import Trainer
from tests.asr.tiny import features, tiny_model
from tests.asr.training.runs import tiny_run

ALONE = World(torch.device("cpu"))
TEXTS = [[5, 6, 7], [8], [9, 10, 9, 9], [11], [12, 13, 14, 15, 16], [4, 4]]
TOKENS = torch.tensor([[Tokenizer.start_id, 5, 6]] * len(TEXTS))


def after_layer(number: int) -> Tensor:
    """What the encoder would give if it ended behind this layer."""
    model = tiny_model()
    encoder = model.encoder
    found: list[Tensor] = []
    layer = encoder.layers[number - 1]
    handle = layer.register_forward_hook(lambda _module, _inputs, x: found.append(x))
    encoder(*features(model.config))
    handle.remove()
    return model.ctc(encoder.norm(found[0]))  # type: ignore[no-any-return]


def test_without_the_middle_it_is_the_model() -> None:
    model = tiny_model()
    x, x_lens = features(model.config)
    found = Network(model, intermediate=False)(x, x_lens, TOKENS)
    expected = model(x, x_lens, TOKENS)
    assert len(found) == 3
    assert all(map(torch.equal, found, expected))


def test_the_middle_layer_speaks_by_the_same_head() -> None:
    model = tiny_model()
    x, x_lens = features(model.config)
    logits, ctc, middle, lens = Network(model, intermediate=True)(x, x_lens, TOKENS)
    expected = model(x, x_lens, TOKENS)
    assert all(map(torch.equal, (logits, ctc, lens), expected))
    assert torch.equal(middle, after_layer(1))
    assert torch.equal(ctc, after_layer(2))
    assert not torch.allclose(middle, ctc)


def test_it_adds_no_weights() -> None:
    model = tiny_model()
    network = Network(model, intermediate=True)
    assert len(list(network.parameters())) == len(list(model.parameters()))


@pytest.mark.parametrize("weight", [0.3, 1.0])
def test_the_loss_mixes_both_layers(weight: float) -> None:
    """Of CTC's share, the middle layer has `weight` (Lee & Watanabe 2021)."""
    model = tiny_model()
    x, x_lens = features(model.config)

    class Middle(nn.Module):
        def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
            logits, _, middle, lens = Network(model, intermediate=True)(*inputs)
            return logits, middle, lens

    last = joint_loss(model, x, x_lens, TEXTS, LossConfig())
    middle = joint_loss(Middle(), x, x_lens, TEXTS, LossConfig())
    mixed = replace(LossConfig(), intermediate_ctc_weight=weight)
    found = joint_loss(Network(model, intermediate=True), x, x_lens, TEXTS, mixed)
    assert last.ctc is not None
    assert middle.ctc is not None
    ctc = (1 - weight) * last.ctc + weight * middle.ctc
    torch.testing.assert_close(found.total, 0.5 * ctc + 0.5 * last.attention)
    assert found.heads["ctc"] == last.heads["ctc"]  # what is reported stays comparable
    assert not torch.allclose(found.total, last.total)


def intermediate_run(config: TrainingConfig) -> TrainingConfig:
    return replace(config, loss=LossConfig(intermediate_ctc_weight=0.5))


def test_a_recipe_switches_it_on(tmp_path_factory: pytest.TempPathFactory) -> None:
    def step(config: TrainingConfig) -> Trainer:
        trainer = Trainer(config)
        trainer._step(trainer._clips()[:2])
        return trainer

    plain = step(tiny_run(tmp_path_factory.mktemp("plain")))
    mixed = step(intermediate_run(tiny_run(tmp_path_factory.mktemp("mixed"))))
    assert plain.state.model.state_dict().keys() == mixed.state.model.state_dict().keys()
    assert not torch.equal(plain.state.model.ctc.weight, mixed.state.model.ctc.weight)
    mixed.state.save(mixed._state_path)
    Trainer(replace(mixed.config, loss=LossConfig()))  # its state fits a run without


@pytest.mark.slow
def test_a_compiled_network_computes_the_same(tmp_path_factory: pytest.TempPathFactory) -> None:
    config = tiny_run(tmp_path_factory.mktemp("compiled"))
    x, x_lens = features(config.model)
    model = tiny_model()
    compiled = network_of(model, replace(config, compile=True), ALONE)
    with torch.no_grad():
        for found, expected in zip(
            compiled(x, x_lens, TOKENS), model(x, x_lens, TOKENS), strict=True
        ):
            torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
    assert list(compiled.state_dict()) == [f"model.{name}" for name in model.state_dict()]
    trainer = Trainer(replace(config, compile=True))
    before = trainer.state.model.ctc.weight.detach().clone()
    trainer._step(trainer._clips()[:2])
    assert not torch.equal(trainer.state.model.ctc.weight, before)
