"""What the load did to the server, in figures."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from auricle_cli.load.clips import Clips
from auricle_cli.load.generator import (
    LEFT,
    REFUSED_GARBAGE,
    RequestResult,
    RequestSettings,
    send_all,
)
from auricle_cli.load.traffic import Traffic
from auricle_client.aio import AsyncClient

ON_PURPOSE = {LEFT, REFUSED_GARBAGE}


@dataclass(frozen=True, slots=True)
class Percentiles:
    """By nearest rank, in seconds."""

    p50: float
    p95: float
    p99: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Self | None:
        """None where there are no values."""
        ranked = sorted(values)
        if not ranked:
            return None
        ranks = (math.ceil(share * len(ranked)) - 1 for share in (0.50, 0.95, 0.99))
        return cls(*(round(ranked[rank], 4) for rank in ranks))


@dataclass(frozen=True, slots=True)
class LoadReport:
    """Rates a second, latencies in seconds from the arrivals' own times, answered ones only."""

    requests: int
    answered: int
    left: int  # hung up on purpose
    garbage_refused: int
    errors: dict[str, int]  # by reason: all that was not on purpose
    offered_rate: float
    answered_rate: float
    audio_seconds_per_second: float
    keeps_up: float  # share of the requests that was served while others still came, 0..1
    latency: Percentiles | None
    first_result: Percentiles | None  # of streams
    queue_seconds: float | None  # means over the receipts, from here on
    encode_seconds: float | None
    decode_seconds: float | None
    batch_size: float | None
    padding_efficiency: float | None  # share of the encoder's frames that was audio, 0..1
    generator_delay: float  # seconds, the worst: large where this process was too slow

    @classmethod
    def of(cls, traffic: Traffic, ended: Sequence[RequestResult]) -> Self:
        """The figures of one run."""
        answered = [each for each in ended if each.reason is None]
        reasons = Counter(each.reason for each in ended if each.reason is not None)
        span = max([traffic.duration, *(each.at for each in ended)])
        return cls(
            requests=len(ended),
            answered=len(answered),
            left=reasons[LEFT],
            garbage_refused=reasons[REFUSED_GARBAGE],
            errors={name: reasons[name] for name in sorted(reasons.keys() - ON_PURPOSE)},
            offered_rate=round(len(ended) / traffic.duration, 3),
            answered_rate=round(len(answered) / span, 3),
            audio_seconds_per_second=round(sum(e.audio_seconds for e in answered) / span, 2),
            keeps_up=_share(_served(each) and each.at <= traffic.duration for each in ended),
            latency=Percentiles.of(each.latency for each in answered),
            first_result=Percentiles.of(e.first for e in answered if e.first is not None),
            **_means(answered),
            generator_delay=round(max((each.sent for each in ended), default=0.0), 4),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as JSON wants them."""
        return asdict(self)

    def to_text(self) -> str:
        """Write the report as text."""
        return "\n".join(f"{name:<20} {value}" for name, value in self._lines())

    def _lines(self) -> Iterable[tuple[str, str]]:
        yield "requests", f"{self.requests}, {self.answered} answered"
        yield "offered", f"{self.offered_rate:.2f}/s"
        speed = self.audio_seconds_per_second
        yield "achieved", f"{self.answered_rate:.2f}/s, {speed:.1f} s of audio a second"
        yield "latency", _seconds(self.latency)
        yield "first result", _seconds(self.first_result)
        if self.batch_size is not None and self.padding_efficiency is not None:
            yield "batch size", f"{self.batch_size:.1f} on average"
            yield "padding efficiency", f"{self.padding_efficiency:.1%}"
        if self.left:
            yield "hung up", str(self.left)
        if self.garbage_refused:
            yield "garbage refused", str(self.garbage_refused)
        for reason, count in self.errors.items():
            yield f"error {reason}", str(count)
        yield "generator's delay", f"{self.generator_delay * 1000:.0f} ms at worst"


async def measure(
    client: AsyncClient,
    traffic: Traffic,
    clips: Clips,
    settings: RequestSettings = RequestSettings(),
    on_end: Callable[[RequestResult], None] = lambda _: None,
) -> LoadReport:
    """Offer `traffic` and report. The arguments are those of `send_all`."""
    return LoadReport.of(
        traffic, await send_all(client, traffic.arrivals(), clips, settings, on_end)
    )


def _served(ended: RequestResult) -> bool:
    return ended.reason is None or ended.reason in ON_PURPOSE


def _means(answered: Sequence[RequestResult]) -> dict[str, float | None]:
    receipts = [each.receipt for each in answered if each.receipt is not None]
    if not receipts:
        names = ("queue_seconds", "encode_seconds", "decode_seconds", "batch_size")
        return dict.fromkeys([*names, "padding_efficiency"])
    return {
        "queue_seconds": _mean(each.queue_seconds for each in receipts),
        "encode_seconds": _mean(each.encode_seconds for each in receipts),
        "decode_seconds": _mean(each.decode_seconds for each in receipts),
        "batch_size": _mean(each.batch_size for each in receipts),
        "padding_efficiency": _mean(1 - each.padding_ratio for each in receipts),
    }


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return round(sum(listed) / len(listed), 4)


def _share(truths: Iterable[bool]) -> float:
    listed = list(truths)
    return round(sum(listed) / len(listed), 4) if listed else 1.0


def _seconds(found: Percentiles | None) -> str:
    if found is None:
        return "none"
    return f"p50 {found.p50:.3f} s, p95 {found.p95:.3f} s, p99 {found.p99:.3f} s"
