"""The real runner with a tiny model: waveforms in, hypotheses out."""

import copy

import numpy as np
import pytest
import torch

from auricle.config import DecodingOptions
from auricle.decoding import Hypothesis, greedy_search
from auricle.engine import ModelRunner, Request
from auricle.engine.runner import resolve_device, resolve_dtype
from auricle.errors import InferenceError, InvalidOptionError
from tests.asr.tiny import ARCHITECTURES, SECONDS, Positions, features, sounds, tiny_model

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def runner() -> ModelRunner:
    return ModelRunner(tiny_model(), CPU)


def requests(options: DecodingOptions | None = None) -> list[Request]:
    return [Request(samples, options or DecodingOptions()) for samples in sounds()]


def tokens(hypotheses: list[Hypothesis]) -> list[tuple[int, ...]]:
    return [hypothesis.tokens for hypothesis in hypotheses]


@pytest.mark.parametrize("beam_size", [1, 3])
@pytest.mark.parametrize(("positions", "conv_kernel"), ARCHITECTURES)
def test_a_batch_is_its_requests_alone(
    positions: Positions, conv_kernel: int, beam_size: int
) -> None:
    runner = ModelRunner(tiny_model(positions, conv_kernel), CPU)
    batch = requests(DecodingOptions(beam_size=beam_size))
    together = runner.run(batch).hypotheses
    alone = [runner.run([request]).hypotheses[0] for request in batch]
    assert tokens(together) == tokens(alone)
    assert len(set(tokens(together))) == len(SECONDS)
    assert [h.log_prob for h in together] == pytest.approx([h.log_prob for h in alone], abs=1e-2)


def test_it_runs_the_models_parts_in_their_order(runner: ModelRunner) -> None:
    model = tiny_model()
    encoder_out, lens = model.encoder(*features(model.config))
    expected = greedy_search(model.decoder, encoder_out, lens, lens)
    assert tokens(runner.run(requests()).hypotheses) == tokens(expected)


def test_the_padding_ratio_counts_encoder_frames(runner: ModelRunner) -> None:
    config = tiny_model().config
    frames = [config.transformer.encoder_len(config.features.x_len(len(s))) for s in sounds()]
    expected = 1 - sum(frames) / (max(frames) * len(frames))
    assert runner.run(requests()).padding_ratio == pytest.approx(expected)
    assert runner.run(requests()[:1]).padding_ratio == 0.0


def test_each_request_keeps_its_own_options(runner: ModelRunner) -> None:
    options = [
        DecodingOptions(),
        DecodingOptions(beam_size=3),
        DecodingOptions(max_tokens=2),
        DecodingOptions(beam_size=3, length_penalty=0.0),
        DecodingOptions(beam_size=3, max_tokens=4),
        DecodingOptions(),
    ]
    batch = [Request(s, o) for s, o in zip(sounds(), options, strict=True)]
    together = runner.run(batch).hypotheses
    assert tokens(together) == [tokens(runner.run([one]).hypotheses)[0] for one in batch]
    assert together[2].steps == 2
    assert together[4].steps <= 4


def test_nobody_says_more_tokens_than_encoder_frames(runner: ModelRunner) -> None:
    short = Request(sounds()[0][:3_200], DecodingOptions(max_tokens=1_000))  # 5 encoder frames
    (hypothesis,) = runner.run([short]).hypotheses
    assert hypothesis.steps <= 5


def test_a_single_sample_is_audio(runner: ModelRunner) -> None:
    (hypothesis,) = runner.run([Request(np.ones(1, np.float32))]).hypotheses
    assert hypothesis.steps == 1


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_samples_beyond_all_measure_are_an_error(runner: ModelRunner, value: float) -> None:
    samples = sounds()[0].copy()
    samples[5_000] = value
    with pytest.raises(InferenceError, match="not finite"):
        runner.run([*requests(), Request(samples)])


def test_half_precision_is_close() -> None:
    model = copy.deepcopy(tiny_model())
    runner = ModelRunner(model, CPU, torch.bfloat16)
    assert model.ctc.weight.dtype == torch.bfloat16
    found = runner.run(requests()).hypotheses
    assert [h.steps > 0 for h in found] == [True] * len(SECONDS)
    assert len(set(tokens(found))) > 1


def test_auto_is_the_best_there_is() -> None:
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert resolve_device("auto").type == expected
    assert resolve_dtype("auto", torch.device("cpu")) == torch.float32
    assert resolve_dtype("auto", torch.device("cuda")) == torch.bfloat16
    assert resolve_dtype("float16", CPU) == torch.float16


@pytest.mark.parametrize("name", ["tpu", "", "cpu:x", "meta", "mps"])
def test_other_devices_are_refused(name: str) -> None:
    with pytest.raises(InvalidOptionError, match="device must be cpu, cuda or auto"):
        resolve_device(name)


@pytest.mark.parametrize(("devices", "name"), [(0, "cuda"), (0, "cuda:0"), (2, "cuda:2")])
def test_devices_that_are_not_there_are_refused(
    monkeypatch: pytest.MonkeyPatch, devices: int, name: str
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: devices)
    with pytest.raises(InvalidOptionError, match="use --device cpu or auto"):
        resolve_device(name)


def test_other_dtypes_are_refused() -> None:
    with pytest.raises(InvalidOptionError, match="float32, bfloat16, float16"):
        resolve_dtype("int8", CPU)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("beam_size", [1, 3])
def test_cuda_says_what_the_cpu_says(runner: ModelRunner, beam_size: int) -> None:
    device = ModelRunner(copy.deepcopy(tiny_model()), torch.device("cuda"))
    batch = requests(DecodingOptions(beam_size=beam_size))
    assert tokens(device.run(batch).hypotheses) == tokens(runner.run(batch).hypotheses)
