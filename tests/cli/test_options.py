"""One table of options: each is a flag, a message field and a row of the documents."""

from pathlib import Path
from typing import Any

import pytest

from auricle_client import RecognitionOptions
from auricle_client.convert import recognition_config
from auricle_proto.v1 import speech_pb2 as pb
from auricle_server.protocols.auricle_grpc.convert import decoding_options, pcm_format
from auricle_types.hotwords import Hotword
from auricle_types.metadata import Option, changed, options_of
from auricle_types.options import DecodingOptions, PcmFormat
from tests.cli.conftest import Auricle, Opened

DECODING = options_of(DecodingOptions)
PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
every_option = pytest.mark.parametrize("each", DECODING, ids=lambda each: each.name)


def other(each: Option) -> Any:  # noqa: ANN401 - a value of the option's type
    """A valid value that is not the default; exact in 32 bits."""
    if each.type is bool:
        return not each.default
    if each.is_repeated:
        return (Hotword("new york", 2.5), Hotword("ann"))
    if each.choices:
        return next(choice for choice in each.choices if choice != each.default)
    return {int: 3, float: 0.5, str: "de"}[each.type]


def texts(value: tuple[Hotword, ...]) -> list[str]:
    return [f"{each.phrase}:{each.weight}" for each in value]


def flags(each: Option, value: Any) -> list[str]:  # noqa: ANN401 - as above
    if each.is_repeated:
        return [word for text in texts(value) for word in (f"--{each.flag}", text)]
    if isinstance(value, bool):
        return [f"--{each.flag}" if value else f"--no-{each.flag}"]
    return [f"--{each.flag}", str(value)]


@every_option
def test_it_is_a_flag(auricle: Auricle, opened: Opened, clips: Path, each: Option) -> None:
    value = other(each)
    result = auricle("transcribe", "--format", "json", *flags(each, value), str(clips))
    assert result.exit_code == 0, result.stderr
    assert opened.recognition is not None
    assert opened.recognition.decoding == DecodingOptions(**{each.name: value})


@every_option
def test_it_is_a_variable(auricle: Auricle, opened: Opened, clips: Path, each: Option) -> None:
    variable = f"AURICLE_{each.flag}".upper().replace("-", "_")
    value = ",".join(texts(other(each))) if each.is_repeated else str(other(each))
    auricle("transcribe", "--format", "json", str(clips), env={variable: value})
    assert opened.recognition is not None
    assert opened.recognition.decoding == DecodingOptions(**{each.name: other(each)})


@every_option
def test_it_is_a_setting(auricle: Auricle, opened: Opened, clips: Path, each: Option) -> None:
    value = other(each)
    text = str(value).lower() if isinstance(value, bool | int | float) else f'"{value}"'
    text = str(texts(value)) if each.is_repeated else text
    Path("auricle.toml").write_text(f'[transcribe]\n{each.flag} = {text}\nformat = "json"\n')
    auricle("--config", "auricle.toml", "transcribe", str(clips))
    assert opened.recognition is not None
    assert opened.recognition.decoding == DecodingOptions(**{each.name: value})


@every_option
def test_it_is_a_row_of_the_documents(each: Option) -> None:
    assert f"| `--{each.flag}" in PAGE.read_text(encoding="utf-8")
    assert each.help in PAGE.read_text(encoding="utf-8")


@every_option
def test_it_crosses_the_wire_and_comes_back(each: Option) -> None:
    sent = RecognitionOptions(**{each.name: other(each)})
    message = recognition_config(sent).decoding
    assert each.name in [field.name for field, _ in message.ListFields()]
    field = pb.DecodingOptions.DESCRIPTOR.fields_by_name[each.name]
    assert field.has_presence or each.is_repeated
    received = decoding_options(message)
    assert received == DecodingOptions(**{each.name: other(each)})
    assert RecognitionOptions(**changed(received)) == sent


def test_a_single_hotword_needs_no_list_in_the_settings(
    auricle: Auricle, opened: Opened, clips: Path
) -> None:
    Path("auricle.toml").write_text('[transcribe]\nhotword = "new york"\nformat = "json"\n')
    auricle("--config", "auricle.toml", "transcribe", str(clips))
    assert opened.recognition is not None
    assert opened.recognition.decoding == DecodingOptions(hotwords=("new york",))


def test_the_wire_has_no_other_option() -> None:
    fields = {field.name for field in pb.DecodingOptions.DESCRIPTOR.fields}
    assert fields == {each.name for each in DECODING}


@pytest.mark.parametrize("encoding", options_of(PcmFormat)[2].choices)
def test_every_encoding_is_a_flag_and_crosses_the_wire(
    auricle: Auricle,
    opened: Opened,
    clips: Path,
    encoding: Any,  # noqa: ANN401
) -> None:
    auricle("transcribe", "--sample-rate", "8000", "--encoding", encoding, str(clips))
    assert opened.recognition is not None
    assert opened.recognition.pcm == PcmFormat(8000, 1, encoding)
    config = recognition_config(RecognitionOptions(pcm=opened.recognition.pcm))
    assert pcm_format(config) == opened.recognition.pcm
