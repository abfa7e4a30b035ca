"""What is observed is what the model computes, and the picture shows it the right way round."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from auricle.audio import Audio, load_audio
from auricle.checkpoint import Checkpoint
from auricle.config import SAMPLE_RATE
from auricle.decoding import ctc_greedy
from auricle.decoding.alignment import aligned_spans, greedy_spans
from auricle.families.auricle.ctc_words import ctc_words
from auricle.inspection import CtcOutput, Observation, Span, observe
from auricle.inspection.attention import attention_weights, recorded
from auricle.model.positions import rotary, rotate
from auricle.naming import model_path
from auricle.pretrained import load_pretrained
from auricle.recognizer import Recognizer
from auricle.tokenizer import Tokenizer
from auricle_types.errors import AudioError, AudioTooLongError, InvalidOptionError
from tests.asr.inspecting import direct, drawn, heads, inputs_of, texts
from tests.asr.tiny import (
    ARCHITECTURES,
    VOCAB_SIZE,
    WINDOW_SECONDS,
    Positions,
    sound,
    sounds,
    tiny_checkpoint,
    tiny_model,
    tiny_tokenizer,
    utterances,
)

pytestmark = pytest.mark.usefixtures("all_is_speech")

SAMPLES = sorted((Path(__file__).parents[2] / "samples").glob("*.wav"))


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return tiny_checkpoint()


@pytest.fixture(scope="module")
def observation(checkpoint: Checkpoint) -> Observation:
    """As if it had said its first eight tokens: so few that they can be aligned."""
    seen = observe(checkpoint, Audio(sounds()[0]))
    return saying(seen, seen.hypothesis.tokens[:8])


def head(observation: Observation) -> CtcOutput:
    assert observation.ctc is not None
    return observation.ctc


def saying(observation: Observation, tokens: tuple[int, ...]) -> Observation:
    """As if these few tokens had been said instead."""
    log_probs = head(observation).posteriors.log()
    words = ctc_words(log_probs, tokens, tiny_tokenizer(), observation.frame_seconds)
    return replace(
        observation,
        hypothesis=replace(observation.hypothesis, tokens=tokens, words=words),
        cross_attention=observation.cross_attention[: len(tokens)],
        ctc=CtcOutput.of(log_probs, tokens),
    )


# --- attention ---------------------------------------------------------------------------------


@pytest.mark.parametrize("layer", [1, 2])
def test_rows_sum_to_one(checkpoint: Checkpoint, layer: int) -> None:
    seen = observe(checkpoint, Audio(sounds()[2]), layer)
    frames, tokens = len(head(seen).posteriors), len(seen.hypothesis.tokens)
    assert seen.layer == layer
    assert seen.self_attention.shape == (2, frames, frames)
    assert seen.cross_attention.shape == (tokens, frames)
    for rows in (seen.self_attention, seen.cross_attention, head(seen).posteriors):
        assert rows.dtype == torch.float32
        torch.testing.assert_close(rows.sum(dim=-1), torch.ones(rows.shape[:-1]))


@pytest.mark.parametrize(("positions", "conv_kernel"), ARCHITECTURES)
@pytest.mark.parametrize("layer", [1, 2])
def test_self_attention_is_the_softmax_of_queries_and_keys(
    positions: Positions, conv_kernel: int, layer: int
) -> None:
    model = tiny_model(positions, conv_kernel)
    attention = model.encoder.layers[layer - 1].attention
    with inputs_of(attention) as normed:
        seen = observe(Checkpoint(model, tiny_tokenizer()), Audio(sounds()[0]), layer)
    frames = len(head(seen).posteriors)
    query, key, _ = attention.qkv(normed[0][0, :frames]).chunk(3, dim=-1)
    queries, keys = heads(query, 2), heads(key, 2)
    if positions == "rotary":
        rotation = rotary(torch.arange(frames), queries.shape[-1])
        queries, keys = (rotate(each[None], rotation)[0] for each in (queries, keys))
    torch.testing.assert_close(seen.self_attention, direct(queries, keys).float())


def test_cross_attention_is_the_mean_over_heads_where_each_token_was_said(
    checkpoint: Checkpoint, observation: Observation
) -> None:
    model, tokens = checkpoint.model, observation.hypothesis.tokens
    attention = model.decoder.layers[-1].cross_attention
    (encoder_out,) = model.encoder.encode([observation.x])
    rows = []
    for said in range(len(tokens)):  # with nothing behind the token in question
        before = torch.tensor([[Tokenizer.start_id, *tokens[:said]]])
        with inputs_of(attention) as normed:
            model.decoder(before, encoder_out[None], torch.tensor([len(encoder_out)]))
        query = heads(attention.query(normed[0][0, -1:]), 2)
        key, _ = attention.key_value(encoder_out).chunk(2, dim=-1)
        rows.append(direct(query, heads(key, 2)).mean(dim=0)[0])
    assert len(rows) == 8
    torch.testing.assert_close(observation.cross_attention, torch.stack(rows).float())


def test_the_weights_give_the_values_that_the_model_went_on_with() -> None:
    model, x = tiny_model(), utterances(tiny_model().config)[0]
    attention = model.encoder.layers[0].attention
    with torch.inference_mode(), recorded(attention) as calls, inputs_of(attention.out) as used:
        (encoder_out,) = model.encoder.encode([x])
    ((query, key, value),) = calls
    frames = len(encoder_out)
    query, key, value = (each[0, :, :frames] for each in (query, key, value))
    attended = torch.cat(list(attention_weights(query, key) @ value), dim=-1)
    torch.testing.assert_close(used[0][0, :frames], attended)


def test_watching_changes_nothing_and_ends() -> None:
    model, xs = tiny_model(), utterances(tiny_model().config)
    attention = model.encoder.layers[1].attention
    alone = model.encoder.encode(xs)
    with recorded(attention) as calls:
        watched = model.encoder.encode(xs)
    assert all(torch.equal(*pair) for pair in zip(watched, alone, strict=True))
    with pytest.raises(RuntimeError), recorded(attention) as interrupted:
        model.encoder.encode([xs[0][:, :3]])  # too narrow
    model.encoder.encode(xs)
    assert (len(calls), len(interrupted)) == (1, 0)


def test_layers_differ_and_the_last_is_the_default(checkpoint: Checkpoint) -> None:
    audio = Audio(sounds()[0])
    first, last = (observe(checkpoint, audio, layer) for layer in (1, 2))
    assert not torch.allclose(first.self_attention, last.self_attention, atol=0.01)
    assert torch.equal(observe(checkpoint, audio).self_attention, last.self_attention)


# --- the words ---------------------------------------------------------------------------------


def test_it_observes_what_a_recogniser_says(checkpoint: Checkpoint) -> None:
    seen = [observe(checkpoint, Audio(samples)) for samples in sounds()]
    with Recognizer.from_checkpoint(tiny_checkpoint(), device="cpu", dtype="float32") as recognizer:
        said = [recognizer.transcribe(samples) for samples in sounds()]
    assert [each.text for each in seen] == [each.text for each in said]
    assert [len(each.hypothesis.tokens) + each.hypothesis.ended for each in seen] == [
        each.receipt.tokens for each in said
    ]
    confidences = [each.confidence for each in seen]
    assert confidences == pytest.approx([each.confidence for each in said])
    assert len({each.text for each in seen}) == len(seen)


@pytest.mark.skipif(not model_path("bundled").is_file(), reason="no bundled weights here")
def test_it_observes_what_the_bundled_model_says() -> None:
    audio = load_audio(SAMPLES[0])
    seen = observe(load_pretrained(model_path("bundled")), audio)
    with Recognizer.from_pretrained(device="cpu", dtype="float32") as recognizer:
        said = recognizer.transcribe(audio)
    assert seen.text == said.text
    assert seen.confidence == pytest.approx(said.confidence)
    assert len(seen.cross_attention) == len(seen.hypothesis.tokens) > 5


def test_times_are_those_of_the_frames(observation: Observation) -> None:
    seconds = len(sounds()[0]) / SAMPLE_RATE
    assert len(observation.x) * observation.x_seconds == pytest.approx(seconds, abs=0.01)
    assert len(head(observation).posteriors) * observation.frame_seconds == pytest.approx(
        seconds, abs=0.04
    )


def test_pieces_spell_the_text(observation: Observation) -> None:
    pieces = map(observation.tokenizer.piece, observation.hypothesis.tokens)
    assert "".join(pieces).replace("\u2581", " ").strip() == observation.text


# --- the CTC head ------------------------------------------------------------------------------


def ctc_log_probs(path: list[int], vocab_size: int = 6) -> Tensor:
    """A head that is 0.9 sure of one token in each frame, and a little less later on.

    Of two paths that are exactly equal, torchaudio may take a third, worse one.
    """
    probabilities = torch.full((len(path), vocab_size), 0.1 / (vocab_size - 1))
    probabilities[range(len(path)), path] = 0.9 - 1e-4 * torch.arange(len(path))
    return probabilities.log()


def test_spans_by_hand() -> None:
    log_probs = ctc_log_probs([0, 4, 4, 0, 4, 5, 0])
    certain = pytest.approx(0.9, abs=0.001)
    spans = (Span(4, 1, 3, certain), Span(4, 4, 5, certain), Span(5, 5, 6, certain))  # type: ignore[arg-type]
    assert greedy_spans(log_probs) == spans
    assert aligned_spans(log_probs, [4, 4, 5]) == spans


def test_tokens_that_nobody_heard_are_aligned_all_the_same() -> None:
    log_probs = ctc_log_probs([0, 4, 4, 0, 0, 5])
    heard, unheard, last = aligned_spans(log_probs, [4, 3, 5])
    assert [span.token for span in (heard, unheard, last)] == [4, 3, 5]
    assert (heard.start, last.start, last.end) == (1, 5, 6)
    assert heard.end <= unheard.start
    assert unheard.probability == pytest.approx(0.02)


def test_more_tokens_than_frames_have_no_alignment() -> None:
    log_probs = ctc_log_probs([0, 0, 0])
    assert len(aligned_spans(log_probs, [3, 4, 5])) == 3
    assert aligned_spans(log_probs, [3, 4, 5, 3]) == ()
    assert aligned_spans(log_probs, [3, 3, 4]) == ()  # a blank must stand between
    assert aligned_spans(log_probs, []) == ()
    assert greedy_spans(log_probs) == ()


def test_by_itself_the_head_says_what_greedy_decoding_says(observation: Observation) -> None:
    spans = head(observation).greedy
    assert [span.token for span in spans] == ctc_greedy(head(observation).posteriors)
    assert all(one.end <= other.start for one, other in pairwise(spans))


def test_the_alignment_holds_the_hypothesis(
    checkpoint: Checkpoint, observation: Observation
) -> None:
    seen = observe(checkpoint, Audio(sounds()[1]))
    log_probs = head(seen).posteriors.log()
    assert head(seen).aligned == aligned_spans(log_probs, seen.hypothesis.tokens)
    ctc = head(observation)
    assert tuple(span.token for span in ctc.aligned) == observation.hypothesis.tokens
    for span in ctc.aligned:
        frames = ctc.posteriors[span.start : span.end, span.token]
        assert span.probability == pytest.approx(float(frames.mean()))


# --- what cannot be observed -------------------------------------------------------------------


def test_audio_that_does_not_fit_is_refused(checkpoint: Checkpoint) -> None:
    fits = round(WINDOW_SECONDS * SAMPLE_RATE)
    assert (
        len(observe(checkpoint, Audio(np.ones(fits, np.float32))).cross_attention[0]) == fits // 640
    )
    with pytest.raises(AudioTooLongError, match=r"5\.5 s does not fit the model's 5 s: cut it"):
        observe(checkpoint, Audio(sound(0, 5.5)))
    with pytest.raises(AudioTooLongError):
        observe(checkpoint, Audio(np.ones(fits + 1, np.float32)))


def test_silence_is_refused(checkpoint: Checkpoint) -> None:
    with pytest.raises(AudioError, match="silent"):
        observe(checkpoint, Audio(np.zeros(SAMPLE_RATE, np.float32)))


@pytest.mark.parametrize("layer", [-1, 0, 3])
def test_layers_that_are_not_there_are_refused(checkpoint: Checkpoint, layer: int) -> None:
    with pytest.raises(InvalidOptionError, match=f"1 to 2 with this model, not {layer}"):
        observe(checkpoint, Audio(sounds()[0]), layer)


def test_one_sample_is_enough(checkpoint: Checkpoint) -> None:
    seen = observe(checkpoint, Audio(np.ones(1, np.float32)))
    assert seen.self_attention.shape == (2, 1, 1)


# --- the picture -------------------------------------------------------------------------------


def test_the_title_names_words_confidence_and_file(observation: Observation) -> None:
    title = drawn(observation, "a $name$.wav").get_suptitle()
    assert " ".join(title.split()).startswith(observation.text)
    assert title.endswith(f"confidence {observation.confidence:.2f}, a $name$.wav")


def test_panels_show_what_was_observed(observation: Observation) -> None:
    features, cross, alignment, ctc, *heads = drawn(observation).axes
    np.testing.assert_array_equal(features.images[0].get_array(), observation.x.T)
    assert features.images[0].origin == "lower"
    np.testing.assert_array_equal(cross.images[0].get_array(), observation.cross_attention)
    for panel, weights in zip(heads, observation.self_attention, strict=True):
        np.testing.assert_array_equal(panel.images[0].get_array(), weights)
    curves = np.stack([line.get_ydata() for line in ctc.lines], axis=1)
    posteriors = head(observation).posteriors
    notable = posteriors[:, 1:].amax(dim=0) >= 0.2
    assert 0 < curves.shape[1] < posteriors.shape[1] - 1
    np.testing.assert_array_equal(curves, posteriors[:, 1:][:, notable])
    pieces = list(map(observation.tokenizer.piece, observation.hypothesis.tokens))
    assert [label.get_text() for label in cross.get_yticklabels()] == pieces
    assert sorted(texts(alignment)) == sorted(pieces + observation.text.split())


def test_time_runs_alike_in_all_panels(observation: Observation) -> None:
    features, cross, alignment, ctc, *heads = drawn(observation).axes
    assert {panel.get_xlim() for panel in (features, cross, alignment, ctc)} == {(-0.005, 0.995)}
    assert features.images[0].get_extent()[:2] == pytest.approx([-0.005, 0.995])
    assert cross.images[0].get_extent()[:2] == pytest.approx([-0.02, 0.98])
    bars = [bar for bar in alignment.patches if bar.get_y() < 1]
    edges = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in bars]
    spans = [
        (0.04 * span.start - 0.02, 0.04 * span.end - 0.02) for span in head(observation).aligned
    ]
    np.testing.assert_allclose(edges, spans)
    assert all(
        head.images[0].get_extent() == pytest.approx([-0.02, 0.98, 0.98, -0.02]) for head in heads
    )


def test_any_number_of_heads(observation: Observation) -> None:
    five = replace(observation, self_attention=observation.self_attention[[0, 1, 0, 1, 1]])
    heads = drawn(five).axes[4:]
    assert [bool(head.images) for head in heads] == [True, True, True, True, True, False]
    assert not heads[-1].axison


def test_nothing_said_is_drawn(observation: Observation) -> None:
    figure = drawn(saying(observation, ()))
    assert figure.get_suptitle().startswith("(no words)\n")
    assert texts(figure.axes[2]) == []
    assert "too many" not in figure.axes[2].get_title("left")


def test_words_begin_where_their_pieces_say(observation: Observation) -> None:
    pieces = [tiny_tokenizer().piece(token) for token in range(VOCAB_SIZE)]
    first = next(piece for piece in pieces if piece[0] == "\u2581" and len(piece) > 1)
    said = [first, "e", "e", first]
    seen = saying(observation, tuple(map(pieces.index, said)))
    alignment = drawn(seen).axes[2]
    assert sorted(texts(alignment)) == sorted([*said, f"{first[1:]}ee", first[1:]])
    colours = [bar.get_facecolor()[:3] for bar in alignment.patches if bar.get_y() < 1]
    assert colours[0] == colours[1] == colours[2] != colours[3]


def test_words_that_cannot_be_aligned_are_told(observation: Observation) -> None:
    hypothesis = replace(observation.hypothesis, words=())
    ctc = replace(head(observation), aligned=())
    alignment = drawn(replace(observation, hypothesis=hypothesis, ctc=ctc)).axes[2]
    assert "too many" in alignment.get_title("left")
    assert texts(alignment) == []


def test_it_is_a_png(observation: Observation, tmp_path: Path) -> None:
    path = tmp_path / "picture"
    drawn(observation).savefig(path, format="png")
    assert path.read_bytes().startswith(b"\x89PNG")
