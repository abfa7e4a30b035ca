"""Several processes that train one model, as `torchrun` starts them; or one by itself.

All plan the same batches. Each takes its rows of a batch, and the gradients of all are those of the
whole, so that a recipe means the same on any number of devices.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import TypeVar

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from auricle.engine.devices import resolve_device
from auricle.training.loss import Losses, Share
from auricle_types.errors import TrainingInterruptedError

Row = TypeVar("Row")
PATIENCE = timedelta(hours=12)  # the others wait while the first one decodes speech or validates


@dataclass(frozen=True, slots=True)
class World:
    """This process among all: `rank` of `size`, and its device."""

    device: torch.device
    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether it is the one that validates, writes and reports."""
        return self.rank == 0

    def rows(self, batch: Sequence[Row]) -> list[Row]:
        """This process' part of a batch; one row at least, for everybody takes part in a step."""
        return list(batch[self.rank :: self.size]) or list(batch[:1])

    def share(self, texts: list[list[int]], batch: list[list[int]]) -> Share:
        """What its rows' `texts` count for in the losses of the `batch`."""
        if self.rank >= len(batch):
            return Share(0.0, 0.0)  # its row is another's
        return Share.of(texts, batch, self.size)

    def seed(self) -> tuple[int, ...]:
        """What it adds to the batch's seed, so that its rows have random numbers of their own."""
        return (self.rank,) if self.rank else ()

    def wrap(self, network: nn.Module) -> nn.Module:
        """The network, whose gradients are means over all processes after each backward pass."""
        return DistributedDataParallel(network) if self.size > 1 else network

    def joined(self, losses: Losses) -> Losses:
        """The whole batch's: the means over all processes."""
        if self.size == 1:
            return losses
        found = {each.name: getattr(losses, each.name) for each in fields(losses)}
        names = [name for name, loss in found.items() if loss is not None]
        sums = torch.stack([found[name].detach() for name in names])
        distributed.all_reduce(sums)
        return replace(losses, **dict(zip(names, sums / self.size, strict=True)))

    def any(self, wish: bool) -> bool:
        """Whether any process has it."""
        if self.size == 1:
            return wish
        wishes = torch.tensor(float(wish), device=self.device)
        distributed.all_reduce(wishes)
        return bool(wishes > 0)

    def agree(self, *values: float) -> list[float]:
        """The first process' values, for all."""
        if self.size == 1:
            return list(values)
        shared = torch.tensor(values, dtype=torch.float64, device=self.device)
        distributed.broadcast(shared, 0)
        return list(shared.tolist())

    @contextmanager
    def first_alone(self) -> Iterator[None]:
        """A block that the first process has finished before the others begin with it.

        Raises TrainingInterruptedError in the others where the first one left it by an error.
        """
        if not self.first:
            (failed,) = self.agree(0.0)
            if failed:
                raise TrainingInterruptedError("the first process cannot go on, and says why")
        try:
            yield
        except BaseException:
            if self.first:
                self.agree(1.0)
            raise
        if self.first:
            self.agree(0.0)


@contextmanager
def world_of(device: str) -> Iterator[World]:
    """The processes that `torchrun` started together with this one, or this one alone.

    With "auto" and "cuda", each has a GPU of its own where there are any: by NCCL, else by gloo.
    Raises InvalidOptionError for a device that is not there.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield World(resolve_device(device))
        return
    here = _device(device, int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if here.type == "cuda" else "gloo", timeout=PATIENCE)
    try:
        yield World(here, distributed.get_rank(), size)
    finally:
        distributed.destroy_process_group()


def _device(name: str, local_rank: int) -> torch.device:
    device = resolve_device(name)
    if device.type == "cuda":
        device = resolve_device(f"cuda:{local_rank}")
        torch.cuda.set_device(device)
    return device
