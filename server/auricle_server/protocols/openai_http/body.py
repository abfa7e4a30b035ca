"""Reads a request's body, a form or JSON, within the server's limits."""

import base64
import binascii
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from io import BytesIO
from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive

from auricle_server.config import ServerConfig
from auricle_server.incoming import timely
from auricle_server.protocols.openai_http.status import InvalidFieldError
from auricle_types.errors import AudioTooLargeError, InvalidRequestError, RequestCancelledError
from auricle_types.parsing import parse_json

MOST_FIELDS = 256
FIELD_BYTES = 256 * 1024
FORM_BYTES = 1024 * 1024  # of a form, beside its file

Fields = Mapping[str, list[str]]


@dataclass(frozen=True, slots=True)
class FormRequest:
    """A request's fields, each with its values in order, and its open file."""

    fields: Fields
    file: UploadFile

    def last(self, name: str) -> str:
        """Return the last value of a field; an empty text where there is none."""
        return (self.fields.get(name) or [""])[-1].strip()

    def every(self, name: str) -> list[str]:
        """Return all values of a list, which clients call `name[]` or `name`."""
        values = [*self.fields.get(f"{name}[]", []), *self.fields.get(name, [])]
        return [value.strip() for value in values if value.strip()]


class Arriving:
    """A body's messages, counted and timed as they come."""

    def __init__(self, receive: Receive, most: int, patience: float) -> None:
        """Take at most `most` bytes, and wait for each message for `patience` seconds."""
        self._receive = receive
        self._most = most
        self._patience = patience
        self._count = 0

    async def __call__(self) -> Message:
        """Return the next message. Raises AudioTooLargeError and StreamIdleError."""
        message = await timely(self._receive(), self._patience)
        self._count += len(message.get("body", b""))
        check_size(self._count, self._most)
        return message


def check_size(count: int, most: int) -> None:
    """Raise AudioTooLargeError where `count` bytes are more than `most`."""
    if count > most:
        raise AudioTooLargeError(f"the body has more than {most} bytes; send a smaller file")


@asynccontextmanager
async def received(request: Request, config: ServerConfig) -> AsyncIterator[FormRequest]:
    """Read a body to its end; its file is deleted after the block.

    Raises InvalidRequestError, InvalidFieldError, AudioTooLargeError and StreamIdleError,
    HTTPException for another kind of body, and RequestCancelledError for a client that leaves.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    reading = {"multipart/form-data": _form, "application/json": _json}.get(kind)
    if reading is None:
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send a form: multipart/form-data")
    is_json = reading is _json  # it is held in memory
    most = config.max_message_bytes if is_json else config.max_upload_bytes + FORM_BYTES
    declared = request.headers.get("content-length", "")
    if declared.isdecimal():
        check_size(int(declared), most)
    arriving = Arriving(request.receive, most, config.stream_idle_seconds)
    try:
        form = await reading(Request(request.scope, arriving))
    except ClientDisconnect as error:
        raise RequestCancelledError("the client left while it sent the body") from error
    try:
        yield form
    finally:
        await form.file.close()


class FormParser(MultiPartParser):
    """Starlette's parser, which leaves the file of a form that ends too early open."""

    def close(self) -> None:
        """Delete the files of all parts."""
        for file in self._files_to_close_on_error:
            file.close()


async def _form(request: Request) -> FormRequest:
    limits = {"max_files": 1, "max_fields": MOST_FIELDS, "max_part_size": FIELD_BYTES}
    parser = FormParser(request.headers, request.stream(), **limits)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise InvalidRequestError(f"the form cannot be read: {error.message}") from error
    except ValueError as error:  # such as a charset that no text can have
        raise InvalidRequestError("the form cannot be read: check its content type") from error
    try:
        return _checked(form)
    except InvalidFieldError:
        parser.close()
        raise


def _checked(form: FormData) -> FormRequest:
    fields: dict[str, list[str]] = {}
    file: UploadFile | None = None
    for name, value in form.multi_items():
        if isinstance(value, str):
            fields.setdefault(name, []).append(value)
        elif name == "file":
            file = value
    if file is None:
        raise InvalidFieldError("file", "the form has no file; send the audio in the field file")
    return FormRequest(fields, file)


async def _json(request: Request) -> FormRequest:
    """Read Open WebUI's body: the audio is base64 under `input_audio`."""
    try:
        body = parse_json(await request.body())
    except ValueError as error:
        raise InvalidRequestError("the body is no JSON") from error
    if not isinstance(body, dict):
        raise InvalidRequestError("the body must be a JSON object")
    fields = {name: _texts(value) for name, value in body.items()}
    return FormRequest(fields, UploadFile(BytesIO(_audio(body.get("input_audio")))))


def _audio(given: object) -> bytes:
    data = given.get("data") if isinstance(given, dict) else None
    if not isinstance(data, str):
        raise InvalidFieldError("input_audio", "input_audio.data must hold the audio in base64")
    try:
        return base64.b64decode(data, validate=True)
    except (ValueError, binascii.Error) as error:
        raise InvalidFieldError("input_audio", "input_audio.data is not base64") from error


def _texts(value: Any) -> list[str]:  # noqa: ANN401 - whatever JSON holds
    values = value if isinstance(value, list) else [value]
    return [_text(each) for each in values if isinstance(each, str | int | float)]


def _text(value: str | float) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if not is_whole(text):
        raise InvalidRequestError("a text has half of a character: send whole ones")
    return text


def is_whole(text: str) -> bool:
    """Whether `text` has no half of a character, which JSON can hold."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)
