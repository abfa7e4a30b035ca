"""A request that was read, as `IncomingAudio`."""

from auricle_server.incoming import RecognitionTask
from auricle_server.protocols.openai_http.body import FormRequest

CHUNK_BYTES = 256 * 1024


class FormInbox:
    """The file of a form, in chunks."""

    def __init__(self, form: FormRequest, task: RecognitionTask) -> None:
        """Read the file of `form`, for which `task` asks."""
        self._form = form
        self._task = task

    async def task(self) -> RecognitionTask:
        """Return what the form asks for."""
        return self._task

    async def chunk(self) -> bytes:
        """Return the next bytes of the file, empty at the end only."""
        return await self._form.file.read(CHUNK_BYTES)
