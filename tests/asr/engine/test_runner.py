"""The real runner with a tiny model: waveforms in, hypotheses out."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from auricle.config import SAMPLE_RATE
from auricle.decoding import ScorerFactory
from auricle.engine import ModelRunner, Request
from auricle.engine.request import Job
from auricle.engine.runner import MIB
from auricle.hypothesis import Hypothesis
from auricle.model.strip import Strip
from auricle.tokenizer import Tokenizer
from auricle_types.errors import (
    AudioTooLongError,
    EmptyAudioError,
    InferenceError,
    InvalidOptionError,
)
from auricle_types.options import DecodingOptions, EngineConfig
from tests.asr.decoding.play import Part, Stage
from tests.asr.engine.jobs import MIXED, alone, finish, jobs, run, tokens
from tests.asr.language_models import random_model
from tests.asr.tiny import (
    DTYPES,
    SECONDS,
    VOCAB_SIZE,
    WINDOW_SECONDS,
    decoded,
    posteriors,
    prepared_model,
    sounds,
    tiny_model,
    utterances,
)

CPU = torch.device("cpu")
SILENCED = Hypothesis((), 0.0, ended=False, guards=("silence",))


@pytest.fixture(scope="module")
def runner() -> ModelRunner:
    return ModelRunner(tiny_model(), CPU, config=EngineConfig(slots=40))


def test_each_request_keeps_its_own_options(runner: ModelRunner) -> None:
    together = run(runner, jobs(MIXED))
    assert together == alone(runner, jobs(MIXED))
    assert len(tokens(together)[2]) <= 2
    assert len(tokens(together)[4]) <= 4


@pytest.mark.parametrize("dtype", DTYPES)
@torch.inference_mode()
def test_it_runs_the_models_parts_in_their_order(dtype: torch.dtype) -> None:
    model, attention = prepared_model(dtype), DecodingOptions(ctc_weight=0.0, guards=False)
    encoder_outs = model.encoder.encode(utterances(model.config, dtype))
    runner = ModelRunner(model, CPU, dtype, config=EngineConfig(slots=40))
    found = run(runner, jobs([attention] * len(SECONDS)))
    assert found == decoded(model, encoder_outs)
    stage = Stage(model.decoder, encoder_outs, posteriors=posteriors(model, encoder_outs))
    both_heads = DecodingOptions(ctc_weight=0.5, guards=False)
    expected = [stage.alone(Part(n, options=both_heads)) for n in range(len(SECONDS))]
    assert run(runner, jobs([both_heads] * len(SECONDS))) == expected
    assert expected != found


def test_the_padding_ratio_counts_encoder_frames(runner: ModelRunner) -> None:
    config = tiny_model().config
    x_lens = [config.features.x_len(len(s)) for s in sounds()]
    some = jobs()
    assert runner.join(some) == Strip.of(x_lens, config.transformer).padding_ratio
    for job in some:
        runner.leave(job)
    assert runner.join(some[2:3]) == Strip.of(x_lens[2:3], config.transformer).padding_ratio
    runner.leave(some[2])


def test_who_leaves_takes_its_slots_along(runner: ModelRunner) -> None:
    some = jobs(MIXED)
    expected = alone(runner, some)
    runner.join(some)
    runner.step()
    runner.leave(some[1])
    runner.leave(some[4])
    assert runner.room.slots == 40 - 1 - 1 - 3 - 1
    answers = finish(runner, 4)
    assert runner.room.slots == 40
    assert {some.index(job): answer for job, answer in answers.items()} == {
        index: expected[index] for index in (0, 2, 3, 5)
    }
    assert runner.step() == []


def test_nobody_says_more_tokens_than_encoder_frames(runner: ModelRunner) -> None:
    short = Request(sounds()[0][:3_200], DecodingOptions(max_tokens=1_000))  # 5 encoder frames
    (hypothesis,) = run(runner, [Job(short, 0.0)])
    assert isinstance(hypothesis, Hypothesis)
    assert hypothesis.steps <= 5


def test_a_single_sample_is_audio(runner: ModelRunner) -> None:
    (hypothesis,) = run(runner, [Job(Request(np.ones(1, np.float32)), 0.0)])
    assert isinstance(hypothesis, Hypothesis)
    assert hypothesis.steps == 1


def test_a_whole_window_is_taken(runner: ModelRunner) -> None:
    whole = np.tile(sounds()[2], 3)[: round(WINDOW_SECONDS * SAMPLE_RATE)]
    runner.check(Request(whole))
    (hypothesis,) = run(runner, [Job(Request(whole, DecodingOptions(beam_size=32)), 0.0)])
    assert isinstance(hypothesis, Hypothesis)
    with pytest.raises(AudioTooLongError, match="does not fit the model's 5 s"):
        runner.check(Request(np.append(whole, whole[:1])))


def test_what_could_never_run_is_refused(runner: ModelRunner) -> None:
    with pytest.raises(EmptyAudioError):
        runner.check(Request(np.zeros(0, np.float32)))
    few = ModelRunner(tiny_model(), CPU, config=EngineConfig(slots=4))
    few.check(Request(sounds()[0], DecodingOptions(beam_size=4)))
    with pytest.raises(InvalidOptionError, match="beam_size 5 needs more than the engine's 4"):
        few.check(Request(sounds()[0], DecodingOptions(beam_size=5)))


def test_joining_is_all_or_none(runner: ModelRunner) -> None:
    wide = [Job(Request(s, DecodingOptions(beam_size=24)), 0.0) for s in sounds()[:2]]
    with pytest.raises(ValueError, match="24 slots wanted where 16 are free"):
        runner.join(wide)
    assert runner.room.slots == 40
    assert runner.step() == []
    assert tokens(run(runner, wide[:1]))


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_samples_beyond_all_measure_are_an_error(runner: ModelRunner, value: float) -> None:
    samples = sounds()[0].copy()
    samples[5_000] = value
    with pytest.raises(InferenceError, match="not finite"):
        runner.join([*jobs(), Job(Request(samples), 0.0)])
    assert runner.room.slots == 40
    assert run(runner, jobs()) == alone(runner, jobs())


def test_what_is_not_finite_in_the_decoder_fails_alone(
    runner: ModelRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode: Callable[[list[Tensor]], list[Tensor]] = runner.model.encoder.encode

    def spoil(xs: list[Tensor]) -> list[Tensor]:
        encoder_outs = encode(xs)
        encoder_outs[1][3] = 3e38  # finite, but not for long
        return encoder_outs

    expected = alone(runner, jobs(MIXED))
    monkeypatch.setattr(runner.model.encoder, "encode", spoil)
    found = run(runner, jobs(MIXED))
    assert isinstance(found[1], InferenceError)
    assert [*found[:1], *found[2:]] == [*expected[:1], *expected[2:]]
    monkeypatch.undo()
    assert run(runner, jobs(MIXED)) == expected  # its slots are clean again


# --- what CTC hears ----------------------------------------------------------------------------


def listening(
    runner: ModelRunner, monkeypatch: pytest.MonkeyPatch, change: Callable[[list[Tensor]], None]
) -> None:
    """Let CTC's log-probabilities of a batch be changed."""
    ctc: Callable[[Sequence[Tensor]], list[Tensor]] = runner._ctc

    def changed(encoder_outs: Sequence[Tensor]) -> list[Tensor]:
        log_probs = [each.clone() for each in ctc(encoder_outs)]
        change(log_probs)
        return log_probs

    monkeypatch.setattr(runner, "_ctc", changed)


def test_ctc_that_is_not_finite_fails_alone(
    runner: ModelRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = alone(runner, jobs(MIXED))

    def spoil(log_probs: list[Tensor]) -> None:
        log_probs[1][2, 3] = torch.nan

    listening(runner, monkeypatch, spoil)
    found = run(runner, jobs(MIXED))
    assert isinstance(found[1], InferenceError)
    assert [*found[:1], *found[2:]] == [*expected[:1], *expected[2:]]


def test_where_ctc_hears_nothing_nothing_is_said(
    runner: ModelRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless guards are switched off; the others hear what they hear."""
    expected = alone(runner, jobs())

    def hush(log_probs: list[Tensor]) -> None:
        for each in log_probs[:2]:
            each[:, Tokenizer.blank_id] = 1.0

    listening(runner, monkeypatch, hush)
    options = [DecodingOptions(), DecodingOptions(ctc_weight=0.0, guards=False)]
    some = jobs([*options, *[DecodingOptions()] * (len(SECONDS) - 2)])
    room = runner.room
    runner.join(some)
    first = dict(runner.step())
    silent = first[some[0]]
    assert silent == SILENCED
    answers = {**first, **finish(runner, len(some) - len(first))}
    assert tokens([answers[some[1]]])[0]
    assert [answers[job] for job in some[2:]] == expected[2:]
    assert runner.room == room


def test_where_the_vad_was_asked_it_decides(
    runner: ModelRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CTC hears nothing in the first two; the VAD hears a word in the first and the third."""

    def hush(log_probs: list[Tensor]) -> None:
        for each in log_probs[:2]:
            each[:, Tokenizer.blank_id] = 1.0

    listening(runner, monkeypatch, hush)
    some = jobs()
    for job, speech in zip(some, [True, None, True, False], strict=False):
        job.request = replace(job.request, speech=speech)
    runner.join(some)
    answers = finish(runner, len(some))
    silenced = [answers[job] == SILENCED for job in some]
    assert silenced[:4] == [False, True, False, True]


def test_a_receipt_says_which_guard_fired(runner: ModelRunner) -> None:
    (job,) = jobs()[:1]
    hypothesis = Hypothesis((4, 5), -1.0, ended=False, guards=("rate",))
    assert job.receipt("m", hypothesis, 0.0).guards == ("rate",)


def test_a_callers_array_is_copied(runner: ModelRunner) -> None:
    expected = alone(runner, jobs())
    mine = [np.array(s[::-1])[::-1] for s in sounds()]
    some = [Job(Request(s), 0.0) for s in mine]
    runner.join(some)
    for samples in mine:
        samples[:] = 0.0
    answers = finish(runner, len(some))
    assert [answers[job] for job in some] == expected


# --- the memory of cross-attention -------------------------------------------------------------


def costed(runner: ModelRunner) -> list[Job]:
    """Jobs as the engine makes them."""
    some = jobs(MIXED)
    return [Job(job.request, 0.0, runner.check(job.request)) for job in some]


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_request_costs_what_is_remembered_of_it(dtype: torch.dtype) -> None:
    """In float32, as processors keep it, whatever the model's numbers; once for a whole beam.

    What CTC hears, too, where anybody listens.
    """
    model = prepared_model(dtype)
    runner = ModelRunner(model, CPU, dtype, config=EngineConfig(slots=40))
    outs = model.encoder.encode(utterances(model.config, dtype))
    for job, out, memory in zip(
        costed(runner), outs, model.decoder.project_memory(outs), strict=True
    ):
        assert job.cost.frames == len(out)
        assert job.cost.slots == job.request.options.beam_size
        assert job.cost.cache_bytes == memory.float().nbytes + len(out) * VOCAB_SIZE * 4
        attention = replace(job.request, options=DecodingOptions(ctc_weight=0.0, guards=False))
        assert runner.check(attention).cache_bytes == memory.float().nbytes


def test_room_shrinks_and_comes_back() -> None:
    runner = ModelRunner(tiny_model(), CPU, config=EngineConfig(slots=40, max_cache_mib=1))
    some = costed(runner)
    assert (runner.room.slots, runner.room.cache_bytes) == (40, MIB)
    slots, cache_bytes = 40, MIB
    for job in some:
        runner.join([job])
        slots, cache_bytes = slots - job.cost.slots, cache_bytes - job.cost.cache_bytes
        assert (runner.room.slots, runner.room.cache_bytes) == (slots, cache_bytes)
    runner.leave(some[2])
    assert runner.room.cache_bytes == cache_bytes + some[2].cost.cache_bytes
    finish(runner, len(some) - 1)
    assert (runner.room.slots, runner.room.cache_bytes) == (40, MIB)


def test_who_does_not_get_in_takes_no_room() -> None:
    runner = ModelRunner(tiny_model(), CPU, config=EngineConfig(slots=4))
    room, some = runner.room, costed(runner)
    with pytest.raises(ValueError, match="slots wanted"):
        runner.join(some)
    spoilt = Request(np.full(9_000, np.nan, np.float32))
    with pytest.raises(InferenceError):
        runner.join([Job(spoilt, 0.0, runner.check(spoilt))])
    assert runner.room == room


# --- the model that it is given ----------------------------------------------------------------


def test_half_precision_is_close() -> None:
    """The same words where the model is sure: its first ones, of most of the sounds."""
    found = run(ModelRunner(tiny_model(), CPU, torch.bfloat16), jobs())
    expected = run(ModelRunner(tiny_model(), CPU), jobs())
    assert len(set(tokens(found))) == len(SECONDS)
    pairs = list(zip(tokens(found), tokens(expected), strict=True))
    assert sum(f[:2] == e[:2] for f, e in pairs) >= 4
    assert found != expected


def test_the_callers_model_is_not_changed() -> None:
    model = copy.deepcopy(tiny_model())
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    run(ModelRunner(model, CPU, torch.bfloat16), jobs())
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())


@pytest.mark.parametrize("dtype", DTYPES)
def test_runners_share_a_prepared_model(dtype: torch.dtype) -> None:
    """Each with slots of its own."""
    one, other = (
        ModelRunner(prepared_model(dtype), CPU, dtype, config=EngineConfig(slots=16))
        for _ in range(2)
    )
    assert one.model is other.model
    expected = run(one, jobs())
    one.join(jobs())
    assert run(other, jobs()) == expected


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("beam_size", [1, 3])
def test_cuda_says_what_the_cpu_says(runner: ModelRunner, beam_size: int, exact: bool) -> None:
    device = ModelRunner(
        tiny_model(), torch.device("cuda"), config=EngineConfig(slots=40, exact=exact)
    )
    options = [DecodingOptions(beam_size=beam_size)] * len(SECONDS)
    assert tokens(run(device, jobs(options))) == tokens(run(runner, jobs(options)))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("dtype", DTYPES)
def test_an_exact_runner_on_cuda_hears_each_as_alone(dtype: torch.dtype) -> None:
    device = ModelRunner(
        tiny_model(), torch.device("cuda"), dtype, config=EngineConfig(slots=40, exact=True)
    )
    assert run(device, jobs(MIXED[:-1], sounds()[:-1])) == alone(
        device, jobs(MIXED[:-1], sounds()[:-1])
    )


def test_a_language_model_changes_what_is_said_unless_it_is_left_out(runner: ModelRunner) -> None:
    language_model, _ = random_model(vocab_size=VOCAB_SIZE, order=3, share=0.1)
    model = prepared_model(torch.float32)
    scorers = ScorerFactory.of(model.config, language_model=language_model)
    fused = ModelRunner(model, CPU, scorers=scorers)
    some, silent = sounds()[:3], DecodingOptions(lm_weight=0.0)
    assert alone(fused, jobs([silent] * 3, some)) == alone(runner, jobs()[:3])
    strong = DecodingOptions(lm_weight=2.0, guards=False)
    plain = DecodingOptions(guards=False)
    fused_said, said = (
        alone(r, jobs([o] * 3, some)) for r, o in ((fused, strong), (runner, plain))
    )
    assert tokens(fused_said) != tokens(said)


def test_a_language_model_is_not_asked_for_where_there_is_none(runner: ModelRunner) -> None:
    request = jobs()[0].request
    asking = replace(request, options=DecodingOptions(lm_weight=0.2))
    with pytest.raises(InvalidOptionError, match=r"lm_weight 0\.2 needs a language model"):
        runner.check(asking)
    runner.check(replace(request, options=DecodingOptions(lm_weight=0.0)))
    runner.check(request)
