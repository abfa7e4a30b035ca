"""A client to be killed: `python -m tests.end_to_end.victim ADDRESS RPC FILE BYTES`.

Sends the first BYTES of FILE; unless that is all of it, it then waits for ever.
"""

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import grpc

from auricle_proto.v1 import speech_pb2 as pb
from auricle_proto.v1.speech_pb2_grpc import SpeechStub

CHUNK = 4_000


def chunks(audio: bytes, count: int) -> Iterator[bytes]:
    for start in range(0, count, CHUNK):
        yield audio[start : min(start + CHUNK, count)]
    if count < len(audio):
        threading.Event().wait()


def uploads(audio: Iterator[bytes]) -> Iterator[pb.UploadRequest]:
    yield pb.UploadRequest(config=pb.RecognitionConfig())
    yield from (pb.UploadRequest(audio=chunk) for chunk in audio)


def streams(audio: Iterator[bytes]) -> Iterator[pb.StreamingRecognizeRequest]:
    yield pb.StreamingRecognizeRequest(config=pb.StreamingRecognitionConfig())
    yield from (pb.StreamingRecognizeRequest(audio=chunk) for chunk in audio)


def main(address: str, rpc: str, path: str, count: str) -> None:
    audio = chunks(Path(path).read_bytes(), int(count))
    with grpc.insecure_channel(address) as channel:
        stub = SpeechStub(channel)
        if rpc == "Upload":
            stub.Upload(uploads(audio))
        else:
            list(stub.StreamingRecognize(streams(audio)))


if __name__ == "__main__":
    main(*sys.argv[1:])
