"""Converts the fields of a request to Auricle's nouns; raises for values that no noun can hold."""

from dataclasses import dataclass
from typing import Literal, cast, get_args

from auricle.tokenizer.languages import CODES, LANGUAGES
from auricle_server.incoming import RecognitionTask
from auricle_server.protocols.openai_http.aliases import served_name
from auricle_server.protocols.openai_http.body import FormRequest
from auricle_server.protocols.openai_http.status import InvalidFieldError
from auricle_types.options import PROMPT_CHARACTERS, DecodingOptions, Task
from auricle_types.quoting import quoted

ResponseFormat = Literal["json", "text", "srt", "verbose_json", "vtt"]
GRANULARITIES = ("word", "segment")
BOOLEANS = {"": False, "false": False, "0": False, "true": True, "1": True}


@dataclass(frozen=True, slots=True)
class FormTask:
    """What a form asks for: the recognition, and how the answer is written."""

    recognition: RecognitionTask
    format: ResponseFormat = "json"
    has_words: bool = False
    has_segments: bool = True
    has_logprobs: bool = False
    is_stream: bool = False


def form_task(form: FormRequest, task: Task, *, takes_prompt: bool = True) -> FormTask:
    """Read what a form asks for; unknown fields are ignored, and the prompt where none is taken.

    Raises InvalidFieldError, and InvalidOptionError where the options do.
    """
    format = response_format(form.last("response_format"))
    wanted = granularities(form, format)
    has_logprobs = "logprobs" in form.every("include")
    options = DecodingOptions(
        language=None if task == "translate" else language(form),
        prompt=(takes_prompt and form.last("prompt")[-PROMPT_CHARACTERS:]) or None,
        temperature=temperature(form.last("temperature")),
        hotwords=hotwords(form),
        word_timestamps="word" in wanted or has_logprobs,
        task=task,
    )
    return FormTask(
        RecognitionTask(options, model=served_name(form.last("model"))),
        format,
        has_words="word" in wanted,
        has_segments=not wanted or "segment" in wanted,
        has_logprobs=has_logprobs,
        is_stream=boolean("stream", form.last("stream")),
    )


def response_format(given: str) -> ResponseFormat:
    """Read how the answer is to be written. Raises InvalidFieldError."""
    known = get_args(ResponseFormat)
    return cast("ResponseFormat", one_of("response_format", given or "json", known))


def granularities(form: FormRequest, format: ResponseFormat) -> set[str]:
    """Read which times are wanted. Raises InvalidFieldError."""
    name = "timestamp_granularities"
    wanted = {one_of(name, each, GRANULARITIES) for each in form.every(name)}
    if "word" in wanted and format != "verbose_json":
        raise InvalidFieldError(name, "times of words need response_format verbose_json")
    return wanted


def language(form: FormRequest) -> str | None:
    """Read the spoken language as a code; None where it is to be detected.

    Takes codes, codes with a region and English names, in any case. Several languages are none.
    Raises InvalidFieldError.
    """
    given = [form.last("language")] if form.last("language") else form.every("languages")
    codes = [language_code(each) for each in given]
    return codes[0] if len(codes) == 1 else None


def language_code(given: str) -> str:
    """Return the code of one language. Raises InvalidFieldError."""
    asked = given.lower().replace("_", "-")
    for name in (asked, asked.partition("-")[0]):
        code = CODES.get(name, name)
        if code in LANGUAGES:
            return code
    message = f"language must be an ISO-639-1 code such as en, not {quoted(given)}"
    raise InvalidFieldError("language", message, "invalid_language_format")


def temperature(given: str) -> float:
    """Read the temperature, 0 to 1. Raises InvalidFieldError."""
    try:
        value = float(given or 0)
    except ValueError:
        value = -1
    if not 0 <= value <= 1:
        raise InvalidFieldError("temperature", f"temperature must be 0 to 1, not {quoted(given)}")
    return value


def hotwords(form: FormRequest) -> tuple[str, ...]:
    """Read the phrases to favour: a list of `keywords`, or `hotwords` with commas between."""
    parted = [part.strip() for text in form.every("hotwords") for part in text.split(",")]
    return tuple(each for each in [*form.every("keywords"), *parted] if each)


def boolean(name: str, given: str) -> bool:
    """Read a truth value. Raises InvalidFieldError."""
    return BOOLEANS[one_of(name, given.lower(), tuple(BOOLEANS))]


def one_of(name: str, given: str, known: tuple[str, ...]) -> str:
    """Return `given` if it is known. Raises InvalidFieldError."""
    if given not in known:
        listed = ", ".join(filter(None, known))
        raise InvalidFieldError(name, f"{name} must be one of {listed}, not {quoted(given)}")
    return given
