"""Messages to nouns and back."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auricle.audio import Encoding, PcmFormat
from auricle_proto.v1 import speech_pb2 as pb
from auricle_server.protocols.auricle_grpc import convert
from auricle_types.errors import InvalidOptionError, InvalidRequestError
from auricle_types.hotwords import Hotword
from auricle_types.options import DecodingOptions
from auricle_types.transcript import Receipt, Segment, Transcript, Word


@given(st.floats(min_value=0, max_value=1e6))
def test_durations_keep_nanoseconds(seconds: float) -> None:
    message = convert.duration(seconds)
    assert message.seconds + message.nanos / 1e9 == pytest.approx(seconds, abs=1e-9)
    assert 0 <= message.nanos < 1_000_000_000


def test_a_duration_does_not_round_up_to_a_billion_nanoseconds() -> None:
    assert (convert.duration(0.9999999999).seconds, convert.duration(0.9999999999).nanos) == (1, 0)


def test_every_encoding_of_the_wire_is_one_that_the_reader_knows() -> None:
    words = pb.AudioEncoding.keys()[1:]
    names = [word.removeprefix("AUDIO_ENCODING_").lower() for word in words]
    assert sorted(names) == sorted(get_args(Encoding))


@pytest.mark.parametrize("name", get_args(Encoding))
def test_each_encoding_becomes_a_format(name: str) -> None:
    config = pb.RecognitionConfig(
        encoding=f"AUDIO_ENCODING_{name.upper()}", sample_rate_hertz=8_000, channels=2
    )
    assert convert.pcm_format(config) == PcmFormat(8_000, 2, name)  # type: ignore[arg-type]


def test_channels_default_to_one() -> None:
    config = pb.RecognitionConfig(encoding=pb.AUDIO_ENCODING_U8, sample_rate_hertz=8_000)
    assert convert.pcm_format(config) == PcmFormat(8_000, 1, "u8")


def test_no_encoding_leaves_it_to_the_container() -> None:
    assert convert.pcm_format(pb.RecognitionConfig(sample_rate_hertz=8_000)) is None


@pytest.mark.parametrize(
    "config",
    [
        pb.RecognitionConfig(encoding=pb.AUDIO_ENCODING_U8),
        pb.RecognitionConfig(encoding=pb.AUDIO_ENCODING_U8, sample_rate_hertz=-8_000),
        pb.RecognitionConfig(encoding=pb.AUDIO_ENCODING_U8, sample_rate_hertz=8_000, channels=-1),
        pb.RecognitionConfig(channels=-1),
    ],
    ids=str,
)
def test_formats_that_cannot_be(config: pb.RecognitionConfig) -> None:
    with pytest.raises(InvalidOptionError):
        convert.pcm_format(config)


def test_an_encoding_of_a_later_version_is_refused() -> None:
    config = pb.RecognitionConfig.FromString(b"\x10\x63")  # field 2, value 99
    with pytest.raises(InvalidRequestError, match=r"99.*AUDIO_ENCODING_S16LE"):
        convert.pcm_format(config)


def test_absent_options_are_the_defaults() -> None:
    assert convert.decoding_options(pb.DecodingOptions()) == DecodingOptions()


def test_present_options_are_taken() -> None:
    message = pb.DecodingOptions(beam_size=5, max_tokens=7, length_penalty=0.5)
    expected = DecodingOptions(beam_size=5, max_tokens=7, length_penalty=0.5)
    assert convert.decoding_options(message) == expected
    sampled = pb.DecodingOptions(temperature=0.1, seed=3)
    assert convert.decoding_options(sampled) == DecodingOptions(temperature=0.1, seed=3)
    off = pb.DecodingOptions(ctc_weight=0.0, guards=False)
    assert convert.decoding_options(off) == DecodingOptions(ctc_weight=0.0, guards=False)
    fused = pb.DecodingOptions(lm_weight=0.0, token_reward=1.1)
    assert convert.decoding_options(fused) == DecodingOptions(lm_weight=0.0, token_reward=1.1)


def test_what_whisper_is_told() -> None:
    message = pb.DecodingOptions(language="de", task="translate", prompt="Anna", timestamps=False)
    expected = DecodingOptions(language="de", task="translate", prompt="Anna", timestamps=False)
    assert convert.decoding_options(message) == expected
    timed = pb.DecodingOptions(word_timestamps=True)
    assert convert.decoding_options(timed) == DecodingOptions(word_timestamps=True)
    warm = pb.DecodingOptions(fallback=True)
    assert convert.decoding_options(warm) == DecodingOptions(fallback=True)


def test_hotwords_have_the_default_weight_where_none_is_given() -> None:
    message = pb.DecodingOptions(
        hotwords=[pb.Hotword(phrase="ann"), pb.Hotword(phrase="new york", weight=0.0)]
    )
    expected = DecodingOptions(hotwords=(Hotword("ann"), Hotword("new york", 0.0)))
    assert convert.decoding_options(message) == expected


@pytest.mark.parametrize("weight", [-1.0, 11.0, float("nan")])
def test_impossible_hotwords_are_refused(weight: float) -> None:
    with pytest.raises(InvalidOptionError, match="0 to 10"):
        convert.decoding_options(
            pb.DecodingOptions(hotwords=[pb.Hotword(phrase="ann", weight=weight)])
        )
    with pytest.raises(InvalidOptionError, match="1 to 100 characters"):
        convert.decoding_options(pb.DecodingOptions(hotwords=[pb.Hotword(weight=1.0)]))


def test_field_numbers_are_for_ever() -> None:
    numbers = {field.name: field.number for field in pb.DecodingOptions.DESCRIPTOR.fields}
    assert numbers == {
        "beam_size": 1,
        "max_tokens": 2,
        "length_penalty": 3,
        "temperature": 4,
        "seed": 5,
        "ctc_weight": 6,
        "guards": 7,
        "lm_weight": 8,
        "token_reward": 9,
        "language": 10,
        "task": 11,
        "prompt": 12,
        "timestamps": 13,
        "fallback": 14,
        "word_timestamps": 15,
        "hotwords": 16,
        "alternatives": 17,
    }


def test_zero_is_a_length_penalty_and_no_absence() -> None:
    assert convert.decoding_options(pb.DecodingOptions(length_penalty=0.0)).length_penalty == 0.0


@pytest.mark.parametrize(
    "message",
    [
        pb.DecodingOptions(beam_size=0),
        pb.DecodingOptions(beam_size=33),
        pb.DecodingOptions(max_tokens=0),
        pb.DecodingOptions(length_penalty=float("inf")),
        pb.DecodingOptions(temperature=-1),
        pb.DecodingOptions(temperature=float("nan")),
        pb.DecodingOptions(temperature=1, beam_size=2),
        pb.DecodingOptions(seed=-1),
        pb.DecodingOptions(ctc_weight=1.1),
        pb.DecodingOptions(task="summarise"),
        pb.DecodingOptions(ctc_weight=float("nan")),
        pb.DecodingOptions(lm_weight=-0.1),
        pb.DecodingOptions(token_reward=float("inf")),
    ],
    ids=str,
)
def test_options_out_of_range(message: pb.DecodingOptions) -> None:
    with pytest.raises(InvalidOptionError):
        convert.decoding_options(message)


def test_a_transcript_keeps_everything() -> None:
    receipt = Receipt("m", 0.1, 0.2, 0.3, 4, 0.5, 6)
    segments = (Segment(0.0, 1.5, "good", 0.5), Segment(2.0, 2.5, "morning", 0.75))
    message = convert.transcript(Transcript(segments, 3.25, receipt, ("cut short",)))
    assert message.text == "good morning"
    assert message.confidence == pytest.approx((0.5 * 1.5 + 0.75 * 0.5) / 2)
    assert [segment.text for segment in message.segments] == ["good", "morning"]
    assert message.segments[1].start == convert.duration(2.0)
    assert message.segments[1].end == convert.duration(2.5)
    assert message.duration == convert.duration(3.25)
    assert list(message.warnings) == ["cut short"]
    assert message.receipt.decode == convert.duration(0.3)
    assert (message.receipt.model_id, message.receipt.batch_size) == ("m", 4)


def test_words_keep_their_times() -> None:
    said = (Word(0.25, 0.5, "good", 0.75), Word(0.5, 1.5, "morning.", 0.5))
    message = convert.segment(Segment(0.0, 1.5, "good morning.", 0.5, said))
    assert [word.text for word in message.words] == ["good", "morning."]
    first, last = message.words
    assert (first.start, last.end) == (convert.duration(0.25), convert.duration(1.5))
    assert (first.confidence, last.confidence) == (0.75, 0.5)
    assert not convert.segment(Segment(0.0, 1.5, "good", 0.5)).words


def test_the_language_is_told_where_it_was_found() -> None:
    assert convert.segment(Segment(0.0, 1.5, "gut", 0.5, language="de")).language == "de"
    assert not convert.segment(Segment(0.0, 1.5, "good", 0.5)).language


def test_silence_is_an_empty_transcript() -> None:
    message = convert.transcript(Transcript((), 600.0, Receipt("m")))
    assert (message.text, len(message.segments), message.confidence) == ("", 0, 0)
