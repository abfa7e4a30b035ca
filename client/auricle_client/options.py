"""The options of a request to a server: how to decode, and what the audio is."""

from dataclasses import dataclass

from auricle_types.options import DecodingOptions, PcmFormat


@dataclass(frozen=True, slots=True)
class RecognitionOptions(DecodingOptions):
    """How a server recognises one audio. Raises InvalidOptionError for values out of range."""

    model: str | None = None  # an id or a name of `list_models`; None: the server's choice
    pcm: PcmFormat | None = None  # for headerless audio only
