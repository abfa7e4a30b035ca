from threading import Barrier

import pytest

from auricle_client import AuricleError, Receipt, RecognitionOptions, Transcript
from benchmarks import remote
from benchmarks.remote import Clients
from benchmarks.rounds import MiscountError


class FakeClient:
    """Answers with as many tokens as it was sent bytes; fails on none."""

    made: list["FakeClient"]

    def __init__(self, address: str) -> None:
        self.address = address
        self.seen: list[bytes] = []
        self.closed = False
        self.made.append(self)

    def recognize(self, file: bytes, options: RecognitionOptions) -> Transcript:
        if not file:
            raise AuricleError("nothing")
        self.seen.append(file)
        return Transcript((), 1.0, Receipt("fake", tokens=len(file)))

    def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def _fake_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeClient, "made", [], raising=False)
    monkeypatch.setattr(remote, "Client", FakeClient)


def clients(files: list[bytes], tokens: int | None = None, *, count: int = 3) -> Clients:
    return Clients("server", "here:1", files, tokens, clients=count, audio_seconds=1.0)


def test_every_file_is_sent_once() -> None:
    files = [b"x" * length for length in range(1, 12)]
    clients(files).run()
    assert sorted(each for client in FakeClient.made for each in client.seen) == files
    assert [client.address for client in FakeClient.made] == ["here:1"] * 3


def test_all_clients_are_at_work_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    barrier = Barrier(3)
    plain = FakeClient.recognize

    def together(self: FakeClient, file: bytes, options: RecognitionOptions) -> Transcript:
        barrier.wait(timeout=10)  # breaks unless three come
        return plain(self, file, options)

    monkeypatch.setattr(FakeClient, "recognize", together)
    clients([b"xy"] * 3).run()
    assert [len(client.seen) for client in FakeClient.made] == [1, 1, 1]


def test_a_wrong_number_of_tokens_is_an_error() -> None:
    clients([b"xx", b"xx"], tokens=2).run()
    with pytest.raises(MiscountError):
        clients([b"xx", b"x"], tokens=2).run()


def test_a_failure_is_the_run_s_and_loses_no_client() -> None:
    team = clients([b"", b"x"], count=1)
    with pytest.raises(AuricleError, match="nothing"):
        team.run()
    assert team.facts() == {"clients": 1}
    team.close()
    assert all(client.closed for client in FakeClient.made)
