"""The published models whose shapes are measured, each with its peers and its targets."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from auricle.config import AudioContext, DecodingOptions, TransformerConfig
from benchmarks.command import use_threads
from benchmarks.peers.field import CTRANSLATE2, EVERY_MODE, installed, load
from benchmarks.peers.peer import Peer
from benchmarks.random_checkpoint import save_moonshine, save_whisper
from benchmarks.rounds import Contestant
from benchmarks.workload import ATTENTION, FULL, QUICK, SMOKE, WHISPER_TINY, Workload

Make = Callable[[], Contestant]  # called in the contestant's own process
WHISPER_BASE = replace(
    WHISPER_TINY, d_model=512, n_heads=8, encoder_layers=6, decoder_layers=6, ffn_dim=2048
)
MOONSHINE_TINY = TransformerConfig(  # what its family does not say by itself
    vocab_size=32_768, d_model=288, n_heads=8, encoder_layers=6, decoder_layers=6, ffn_dim=1152
)
ONE_BY_ONE, TOGETHER = 1, 8  # utterances in a batch of transformers' Moonshine


@dataclass(frozen=True, slots=True)
class Amount:
    """How much is measured of each shape."""

    workload: Workload
    full_utterances: int  # of Auricle with full context, which takes each the same time
    peer_utterances: int  # a run of Whisper's peers: they know full context alone
    batch_sizes: Sequence[int]  # that those choose from


WHOLE = Amount(FULL, 32, 8, (1, 2, 4, 8))
SMOKE_AMOUNT = Amount(QUICK, 1, 1, (1,))


@dataclass(frozen=True, slots=True)
class Shape:
    """A published model, without its weights."""

    dims: TransformerConfig
    save: Callable[[TransformerConfig, Path], None]
    peers: Callable[[TransformerConfig, Amount, int, int], Iterator[Make]]  # ..., beam, threads
    options: DecodingOptions  # that make Auricle do what the peers do
    references: tuple[str, ...]  # peers that the targets are over
    targets: Mapping[AudioContext, float]  # Auricle's speed in int8 over theirs
    amount: Amount = WHOLE

    @property
    def small(self) -> "Shape":
        """The same with little between stem and vocabulary."""
        return replace(self, dims=replace(SMOKE, vocab_size=self.dims.vocab_size))


def whisper_peers(
    dims: TransformerConfig, amount: Amount, beam: int, threads: int
) -> Iterator[Make]:
    """In each mode that they have on a CPU."""
    for name in installed(EVERY_MODE):
        yield partial(whisper_peer, name, dims, amount, beam, threads)


def whisper_peer(
    name: str, dims: TransformerConfig, amount: Amount, beam: int, threads: int
) -> Peer:
    """A peer at its best batch size."""
    use_threads(threads)
    work = amount.workload
    found = Peer(
        name,
        load(name, dims, threads),
        utterances=amount.peer_utterances,
        tokens=work.tokens,
        seconds_each=work.seconds / work.utterances,
        beam_size=beam,
    )
    found.choose_batch(amount.batch_sizes)
    return found


def moonshine_name(dtype: str, batch_size: int) -> str:
    """Of a contestant."""
    together = "one by one" if batch_size == ONE_BY_ONE else f"{batch_size} together"
    return f"transformers {dtype}, {together}"


def moonshine_peers(
    dims: TransformerConfig, amount: Amount, beam: int, threads: int
) -> Iterator[Make]:
    """Transformers, each utterance by itself, and padded ones together, which changes them."""
    for dtype in ("float32", "bfloat16"):
        for batch_size in (ONE_BY_ONE, TOGETHER):
            settings = (dtype, batch_size, beam, threads)
            yield partial(moonshine_peer, dims, amount.workload, *settings)


def moonshine_peer(
    dims: TransformerConfig, work: Workload, dtype: str, batch_size: int, beam: int, threads: int
) -> Contestant:
    """After a first run, which is slower."""
    import torch

    from benchmarks.peers.moonshine import Moonshine, moonshine

    use_threads(threads)
    found = Moonshine(
        moonshine_name(dtype, batch_size),
        moonshine(dims).to(getattr(torch, dtype)),
        work.samples(),
        batch_size=batch_size,
        tokens=work.tokens,
        beam_size=beam,
    )
    found.run()
    return found


AS_PEERS_DO = DecodingOptions(language="en", timestamps=False, fallback=False, guards=False)
_whisper = partial(
    Shape,
    save=save_whisper,
    peers=whisper_peers,
    options=AS_PEERS_DO,
    references=CTRANSLATE2,
    targets={"full": 1.0, "auto": 6.0},
)
SHAPES = {
    "whisper-tiny": _whisper(WHISPER_TINY),
    "whisper-base": _whisper(WHISPER_BASE, amount=replace(WHOLE, full_utterances=16)),  # 24 GiB
    "moonshine-tiny": Shape(
        MOONSHINE_TINY,
        save_moonshine,
        moonshine_peers,
        ATTENTION,
        (moonshine_name("float32", ONE_BY_ONE),),  # padded, it computes other answers
        {"auto": 3.0},
    ),
}
