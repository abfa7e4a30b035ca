"""Moonshine as transformers has it, each utterance alone: its normalisation knows no padding."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from auricle.engine import ModelRunner
from auricle.pretrained import load_pretrained
from tests.asr.families.peers import (
    END,
    LIMIT,
    START,
    VOCAB_SIZE,
    Said,
    assert_worth_comparing,
    features,
    greedy,
    heard,
    hub_moonshine,
    let_some_end,
    runner,
    save,
    transformers,
    until_end,
)

TOLERANCE = 1e-4


def encoder_outputs_of(encoder_out: Tensor) -> Any:  # noqa: ANN401  # theirs
    """As they pass it on; looked up late, for it imports all of their model."""
    moonshine = transformers.models.moonshine.modeling_moonshine
    return moonshine.MoonshineEncoderModelOutput(encoder_out)


@pytest.fixture(scope="module")
def theirs() -> nn.Module:
    model = hub_moonshine()
    said = [tokens for tokens, _ in references(model, encoded(model))]
    let_some_end(model.get_parameter("model.decoder.embed_tokens.weight"), END, said)
    return model


@pytest.fixture(scope="module")
def ours(theirs: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> ModelRunner:
    return runner(load_pretrained(save(theirs, tmp_path_factory.mktemp("moonshine"))))


@torch.inference_mode()
def encoded(model: nn.Module) -> list[Tensor]:
    """The encoder's output of each sound `(N, D)`."""
    encoder = model.get_submodule("model.encoder")
    alone = [torch.from_numpy(each)[None] for each in heard()]
    return [encoder(each).last_hidden_state[0] for each in alone]


@torch.inference_mode()
def references(model: nn.Module, encoder_outs: list[Tensor]) -> list[tuple[Said, bool]]:
    """Greedy search of transformers."""
    config = transformers.GenerationConfig(
        max_new_tokens=LIMIT,
        do_sample=False,
        eos_token_id=END,
        pad_token_id=0,
        decoder_start_token_id=START,
    )
    said = []
    for encoder_out in encoder_outs:
        (row,) = transformers.GenerationMixin.generate(
            model,
            encoder_outputs=encoder_outputs_of(encoder_out[None]),
            decoder_input_ids=torch.tensor([[START]]),
            generation_config=config,
        )
        said.append(until_end(row[1:].tolist()))
    return said


@torch.inference_mode()
def test_the_encoder_is_theirs(ours: ModelRunner, theirs: nn.Module) -> None:
    """Ours in one strip, theirs one by one."""
    found = ours.model.encoder.encode(features(ours, heard()))
    for mine, expected in zip(found, encoded(theirs), strict=True):
        torch.testing.assert_close(mine, expected, atol=TOLERANCE, rtol=0)
    assert float(torch.stack([each[0] for each in found]).std(dim=0).mean()) > 0.1


@torch.inference_mode()
def test_a_padded_batch_is_theirs_one_by_one(ours: ModelRunner, theirs: nn.Module) -> None:
    xs = features(ours, heard()[:6])
    lens = torch.tensor([len(x) for x in xs])
    x = nn.utils.rnn.pad_sequence(xs, batch_first=True, padding_value=9.0)
    found, out_lens = ours.model.encoder(x, lens)
    for row, length, expected in zip(found, out_lens.tolist(), encoded(theirs), strict=False):
        assert length == len(expected)
        torch.testing.assert_close(row[:length], expected, atol=TOLERANCE, rtol=0)


@torch.inference_mode()
def test_padding_changes_their_answers(theirs: nn.Module) -> None:
    """Masked as they ask for it: so a benchmark of equal answers gives them one by one."""
    samples = [torch.from_numpy(each) for each in heard()[:6]]
    mask = [torch.ones(len(each), dtype=torch.int64) for each in samples]
    padded, masks = (nn.utils.rnn.pad_sequence(each, True) for each in (samples, mask))
    found = theirs.get_submodule("model.encoder")(padded, attention_mask=masks).last_hidden_state
    shortest = min(range(6), key=lambda row: len(samples[row]))
    expected = encoded(theirs)[shortest]
    assert (found[shortest, : len(expected)] - expected).abs().max() > 100 * TOLERANCE


@torch.inference_mode()
def test_teacher_forced_logits_are_theirs(ours: ModelRunner, theirs: nn.Module) -> None:
    tokens = torch.randint(VOCAB_SIZE, (len(heard()), 30), generator=torch.manual_seed(0))
    decoder = ours.model.decoder
    for row, each in zip(tokens, ours.model.encoder.encode(features(ours, heard())), strict=True):
        found = decoder(row[None], each[None], torch.tensor([len(each)]))
        output = encoder_outputs_of(each[None])
        expected = theirs(encoder_outputs=output, decoder_input_ids=row[None]).logits
        torch.testing.assert_close(found, expected, atol=TOLERANCE, rtol=0)


def test_greedy_tokens_are_theirs(ours: ModelRunner, theirs: nn.Module) -> None:
    encoder_outs = encoded(theirs)
    expected = references(theirs, encoder_outs)
    assert_worth_comparing(expected)
    found = greedy(ours, heard())
    assert found == expected
    assert references(theirs, encoder_outs[1:11]) != found[:10]
