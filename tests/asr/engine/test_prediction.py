"""What the engine learns from its own steps, and when it refuses because of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auricle.config import SAMPLE_RATE
from auricle.engine import Request
from auricle.engine.prediction import Average, Prediction
from auricle.engine.request import Job, Phase
from auricle_types.options import DecodingOptions

SLOTS = 10
ENCODE = 0.02  # seconds for each second of audio
STEP = 0.01  # seconds
STEPS = 4  # for each second of audio


def job(
    seconds: float = 10.0,
    *,
    phase: Phase = "waiting",
    beam: int = 1,
    max_tokens: int | None = None,
    deadline: float | None = None,
) -> Job:
    samples = np.zeros(round(seconds * SAMPLE_RATE), np.float32)
    request = Request(samples, DecodingOptions(beam, max_tokens=max_tokens), deadline)
    return Job(request, 0.0, phase=phase)


@pytest.fixture
def taught() -> Prediction:
    prediction = Prediction(SLOTS)
    for _ in range(3):
        prediction.encoded(20.0, 20.0 * ENCODE)
        prediction.stepped(STEP)
        prediction.finished(decoded(5.0))
    return prediction


def decoded(seconds: float) -> Job:
    done = job(seconds)
    done.steps = round(seconds * STEPS)
    return done


def test_an_average_of_nothing_is_none_and_the_first_does_not_count() -> None:
    average = Average()
    assert average.value is None
    average.add(1_000.0, 1.0)
    assert average.value is None
    average.add(3.0, 1.0)
    assert average.value == 3.0


amounts = st.floats(0, 1e6).map(lambda amount: round(amount, 6))  # of which no sum underflows


@given(st.lists(st.tuples(amounts, st.floats(0.01, 1e3)), min_size=2, max_size=50))
def test_an_average_lies_between_what_was_measured(measured: list[tuple[float, float]]) -> None:
    average = Average()
    for amount, weight in measured:
        average.add(amount, weight)
    ratios = [amount / weight for amount, weight in measured[1:]]
    assert average.value is not None
    assert min(ratios) * (1 - 1e-9) <= average.value <= max(ratios) * (1 + 1e-9)


def test_an_average_follows_a_change() -> None:
    average = Average()
    for _ in range(30):
        average.add(1.0, 1.0)
    for _ in range(30):
        average.add(5.0, 1.0)
    assert average.value == pytest.approx(5.0, rel=0.05)


def test_large_measurements_count_more() -> None:
    average = Average()
    for amount, weight in ((0.0, 1.0), (1.0, 1.0), (200.0, 100.0)):
        average.add(amount, weight)
    assert average.value == pytest.approx(2.0, rel=0.01)


@pytest.mark.parametrize("missing", ["encoded", "stepped", "finished"])
def test_before_everything_was_measured_nothing_is_predicted(missing: str) -> None:
    prediction = Prediction(SLOTS)
    for count in range(2):  # the first of each does not count
        if missing != "encoded" or not count:
            prediction.encoded(20.0, 1.0)
        if missing != "stepped" or not count:
            prediction.stepped(STEP)
        if missing != "finished" or not count:
            prediction.finished(decoded(5.0))
    assert prediction.seconds([job()], job()) is None
    assert prediction.lateness([job()], job(deadline=1e-9), 0.0) == 0.0
    assert prediction.until_half([job()]) == 1.0


def test_a_request_by_itself_takes_its_own_work(taught: Prediction) -> None:
    assert taught.seconds([], job(10.0)) == pytest.approx(10 * ENCODE + 40 * STEP)


def test_waiting_requests_add_their_audio_and_their_share_of_the_decoder(
    taught: Prediction,
) -> None:
    own = taught.seconds([], job(10.0))
    ahead = [job(10.0, beam=5), job(20.0)]
    assert own is not None
    extra = 30 * ENCODE + (40 * 5 + 80) / SLOTS * STEP
    assert taught.seconds(ahead, job(10.0)) == pytest.approx(own + extra)


def test_running_requests_are_encoded_and_partly_decoded(taught: Prediction) -> None:
    running = job(10.0, phase="decoding")
    running.steps = 30
    assert taught.seconds([running]) == pytest.approx(10 / SLOTS * STEP)
    running.steps = 1_000  # more than anybody thought
    assert taught.seconds([running]) == 0.0


def test_nobody_takes_more_steps_than_the_limit(taught: Prediction) -> None:
    assert taught.seconds([], job(10.0, max_tokens=3)) == pytest.approx(10 * ENCODE + 3 * STEP)
    assert taught.seconds([], job(10.0, max_tokens=900)) == taught.seconds([], job(10.0))


def test_only_who_is_surely_late_is_refused(taught: Prediction) -> None:
    ahead = [job(20.0) for _ in range(50)]
    seconds = taught.seconds(ahead, job())
    assert seconds is not None
    assert taught.lateness(ahead, job(deadline=7.0 + 0.51 * seconds), 7.0) == 0.0
    late = taught.lateness(ahead, job(deadline=7.0 + 0.25 * seconds), 7.0)
    assert late == pytest.approx(0.25 * seconds)
    assert taught.lateness(ahead, job(), 7.0) == 0.0  # it has no deadline


def test_where_nothing_is_ahead_it_is_always_tried(taught: Prediction) -> None:
    """Else an engine that was slow once would refuse for ever and never learn better."""
    taught.stepped(1e6)
    assert taught.lateness([], job(deadline=1.0), 0.0) == 0.0
    assert taught.lateness([job(phase="decoding")], job(deadline=1.0), 0.0) > 0.0


def test_a_full_queue_is_worth_a_try_when_half_of_it_is_done(taught: Prediction) -> None:
    ahead = [job(20.0) for _ in range(50)]
    seconds = taught.seconds(ahead)
    assert seconds is not None
    assert taught.until_half(ahead) == seconds / 2
