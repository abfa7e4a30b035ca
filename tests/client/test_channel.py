"""What the transport does by itself: it tries again on UNAVAILABLE, and on nothing else."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from auricle_client import AsyncClient, AuricleError, Client
from auricle_client.channel import RETRY_POLICY
from auricle_proto.v1 import speech_pb2 as pb
from auricle_proto.v1 import speech_pb2_grpc

ANSWER = pb.RecognizeResponse(transcript=pb.Transcript(segments=[pb.Segment(text="at last")]))
MODELS = pb.ListModelsResponse()


class Flaky(speech_pb2_grpc.SpeechServicer):
    """Fails with `code` the first `failures` times."""

    def __init__(self) -> None:
        self.code = grpc.StatusCode.UNAVAILABLE
        self.failures = 0
        self.calls = 0
        self.audio: list[bytes] = []

    def _fail_at_first(self, context: grpc.ServicerContext) -> None:
        self.calls += 1
        if self.calls <= self.failures:
            context.abort(self.code, "not now")

    def Recognize(  # noqa: N802
        self, request: pb.RecognizeRequest, context: grpc.ServicerContext
    ) -> pb.RecognizeResponse:
        self._fail_at_first(context)
        return ANSWER

    def Upload(  # noqa: N802
        self,
        request_iterator: Iterator[pb.UploadRequest],
        context: grpc.ServicerContext,
    ) -> pb.RecognizeResponse:
        self.audio.append(b"".join(request.audio for request in request_iterator))
        self._fail_at_first(context)
        return ANSWER

    def StreamingRecognize(  # noqa: N802
        self,
        request_iterator: Iterator[pb.StreamingRecognizeRequest],
        context: grpc.ServicerContext,
    ) -> Iterator[pb.StreamingRecognizeResponse]:
        for _ in request_iterator:
            pass
        self._fail_at_first(context)
        return iter([])

    def ListModels(  # noqa: N802
        self, request: pb.ListModelsRequest, context: grpc.ServicerContext
    ) -> pb.ListModelsResponse:
        self._fail_at_first(context)
        return MODELS


@pytest.fixture
def flaky() -> Flaky:
    return Flaky()


@pytest.fixture
def target(flaky: Flaky) -> Iterator[str]:
    with ThreadPoolExecutor(4) as threads:
        server = grpc.server(threads)
        speech_pb2_grpc.add_SpeechServicer_to_server(flaky, server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        yield f"127.0.0.1:{port}"
        server.stop(0).wait()


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.recognize(b"x" * 1_000_000).text == "at last",
        lambda client: client.upload(b"x" * 1_000_000).text == "at last",
        lambda client: client.list_models() == (),
    ],
    ids=["recognize", "upload", "list_models"],
)
def test_unavailable_is_tried_again(
    flaky: Flaky, target: str, call: Callable[[Client], bool]
) -> None:
    flaky.failures = 2
    with Client(target) as client:
        assert call(client)
    assert flaky.calls == 3
    assert set(flaky.audio) <= {b"x" * 1_000_000}  # each time the whole of it


async def test_the_asyncio_client_tries_again_too(flaky: Flaky, target: str) -> None:
    flaky.failures = 1
    async with AsyncClient(target) as client:
        assert (await client.upload(b"audio")).text == "at last"
    assert flaky.calls == 2


def test_it_gives_up_in_the_end(flaky: Flaky, target: str) -> None:
    flaky.failures = 1000
    with Client(target) as client, pytest.raises(AuricleError, match="not now"):
        client.recognize(b"audio")
    assert flaky.calls == RETRY_POLICY["maxAttempts"]


@pytest.mark.parametrize(
    "code",
    [
        code
        for code in grpc.StatusCode
        if code not in (grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE)
    ],
    ids=lambda code: code.name,
)
def test_nothing_else_is_tried_again(flaky: Flaky, target: str, code: grpc.StatusCode) -> None:
    flaky.failures, flaky.code = 1, code
    with Client(target) as client:
        for count, call in enumerate((client.recognize, client.upload), start=1):
            flaky.failures = count
            with pytest.raises(AuricleError, match="not now") as caught:
                call(b"audio")
            assert caught.value.code is code
            assert flaky.calls == count


def test_a_stream_that_ends_without_a_transcript_is_an_error(flaky: Flaky, target: str) -> None:
    with Client(target) as client, pytest.raises(AuricleError, match="without a transcript"):
        list(client.stream(b"audio"))
