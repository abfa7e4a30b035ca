import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.peers.field import PEERS, installed, load
from benchmarks.peers.peer import Generate, Peer
from benchmarks.rounds import MiscountError
from benchmarks.workload import SMOKE
from tests.benchmarks.fakes import FakeGenerate, Watch


def fake_peer(generate: Generate, utterances: int = 5) -> Peer:
    return Peer("peer", generate, utterances=utterances, tokens=4, seconds_each=2.0)


def test_a_run_takes_all_utterances_once() -> None:
    generate = FakeGenerate()
    fake_peer(generate).run()
    assert generate.batches == [1] * 5


def test_the_batch_size_with_the_least_time_is_chosen() -> None:
    generate, clock = FakeGenerate(), Watch([8.0, 4.0, 4.5, 9.0])
    chosen = Peer("peer", generate, utterances=9, tokens=4, seconds_each=2.0, clock=clock)
    chosen.choose_batch((1, 2, 4, 8))
    assert chosen.facts()["batch_size"] == 2
    assert 8 not in generate.batches  # 4 was worse already
    generate.batches.clear()
    chosen.run()
    assert generate.batches == [2, 2, 2, 2, 2]


@settings(max_examples=20)
@given(st.integers(1, 12), st.integers(1, 12))
def test_the_audio_of_a_run_is_that_of_whole_batches(utterances: int, size: int) -> None:
    generate = FakeGenerate()
    peer = fake_peer(generate, utterances)
    peer.choose_batch((size,))
    generate.batches.clear()
    peer.run()
    assert set(generate.batches) == {size}
    assert utterances <= sum(generate.batches) < utterances + size
    assert peer.audio_seconds == 2.0 * sum(generate.batches)
    assert peer.facts()["utterances"] == sum(generate.batches)


def test_a_peer_that_makes_other_tokens_is_no_peer() -> None:
    with pytest.raises(MiscountError, match="made \\[3\\] tokens where 4"):
        fake_peer(FakeGenerate(off=-1)).run()


def test_a_missing_peer_is_named_and_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for module, _ in PEERS.values():
        monkeypatch.setitem(sys.modules, module, None)
    assert list(installed()) == []
    said = capsys.readouterr().out
    assert all(f"without {name}" in said for name in PEERS)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of libraries that are not ours
@pytest.mark.parametrize("name", PEERS)
def test_each_peer_makes_the_tokens_asked_for(name: str) -> None:
    pytest.importorskip({"o": "whisper", "t": "transformers", "c": "ctranslate2"}[name[0]])
    generate = load(name, SMOKE, threads=2)
    features = np.random.default_rng(1).standard_normal((2, 80, 3000)).astype(np.float32)
    assert generate(features, 32) == [32, 32]
    assert generate(features[:1], 7) == [7]
