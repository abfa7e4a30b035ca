"""A row of a product is the same to the last bit in any company, whatever the kernels do."""

import logging
from collections.abc import Iterator
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from auricle.model.linear import Linear
from auricle.model.rows import GROUP, LARGEST, Kind, Product, Rows, check_rows

DTYPES = (torch.float32, torch.bfloat16, torch.float16)
WIDTH = 240


class Blockwise(nn.Module):
    """A kernel that cuts its sums by the number of rows, as oneDNN's for AMX do."""

    name = "blockwise"

    def __init__(self) -> None:
        super().__init__()
        self.like = torch.randn(8, WIDTH, generator=torch.Generator().manual_seed(1))
        self.calls: list[int] = []
        self._rows = Rows()

    @property
    def kind(self) -> Kind:
        return Kind(self.name, WIDTH, 8, torch.float32, biased=False, offset=0)

    def product(self, x: Tensor) -> Tensor:
        self.calls.append(len(x))
        return self.kernel(x, self.like)

    def trial(self, weight: Tensor, bias: Tensor | None) -> Product:
        assert bias is None
        return partial(self.kernel, weight=weight)

    @staticmethod
    def kernel(x: Tensor, weight: Tensor) -> Tensor:
        return summed(x, weight, 30 if len(x) in range(32, 192) else 32)

    def forward(self, x: Tensor) -> Tensor:
        self.calls.clear()
        return self._rows.multiply(self, x)


class Placed(Blockwise):
    """The rows at the end of a call go through another kernel."""

    name = "placed"

    @staticmethod
    def kernel(x: Tensor, weight: Tensor) -> Tensor:
        most = len(x) // 6 * 6
        return torch.cat([summed(x[:most], weight, 32), summed(x[most:], weight, 30)])


class PlacedAmongFew(Blockwise):
    """As `Placed`, but not where there are many rows."""

    name = "placed among few"

    @staticmethod
    def kernel(x: Tensor, weight: Tensor) -> Tensor:
        if len(x) >= 64:
            return summed(x, weight, 32)
        return torch.cat([summed(x[:12], weight, 32), summed(x[12:], weight, 30)])


class Rounded(Blockwise):
    """Rounding hides in almost all rows that many are added in another order than few."""

    name = "rounded"

    @staticmethod
    def kernel(x: Tensor, weight: Tensor) -> Tensor:
        return summed(x, weight, 30 if len(x) > GROUP else 32).bfloat16().float()


KERNELS = (Blockwise, Placed, PlacedAmongFew)


def summed(x: Tensor, weight: Tensor, width: int) -> Tensor:
    """`(R, K) -> (R, E)`, each row's products added in blocks of `width`, one after the other."""
    out = torch.zeros(len(x), len(weight))
    for start in range(0, x.shape[1], width):
        block = slice(start, start + width)
        out = out + (x[:, None, block] * weight[:, block]).double().sum(dim=-1).float()
    return out


def some_rows(count: int, width: int = WIDTH, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(count, width, generator=torch.Generator().manual_seed(count)).to(dtype)


@pytest.fixture(params=[1, 2, 3])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def test_the_kernels_here_depend_on_company() -> None:
    """Or else the next test would pass with anything."""
    for kernel in KERNELS:
        layer, x = kernel(), some_rows(GROUP + 4)
        alone = torch.cat([layer.product(row) for row in x.split(1)])
        together = [layer.product(x), layer.product(some_rows(40)[:]), layer.product(x[:7])]
        whole = layer.product(torch.cat([x, some_rows(30)]))[: len(x)]
        assert not (torch.equal(together[0], alone) and torch.equal(whole, alone))


@pytest.mark.parametrize("kernel", KERNELS)
@torch.inference_mode()
def test_company_changes_nothing_whatever_the_kernel(kernel: type[Blockwise]) -> None:
    layer = kernel()
    for count in (1, 2, 15, 16, 17, 40, 100, 190, 256, 300, 700):
        x = some_rows(count)
        together = layer(x)
        for row in {0, count // 2, count - 1}:
            assert torch.equal(layer(x[row : row + 1])[0], together[row])
        exact = x.double() @ layer.like.double().T
        torch.testing.assert_close(together.double(), exact, atol=1e-4, rtol=0)


@torch.inference_mode()
def test_a_difference_is_found_that_rounding_hides() -> None:
    layer, x = Rounded(), some_rows(GROUP)
    assert torch.equal(
        layer.kernel(x, layer.like), layer.kernel(x.repeat(2, 1), layer.like)[:GROUP]
    )
    layer(x)
    layer(x)
    assert layer.calls == [2 * GROUP]


@torch.inference_mode()
def test_blocks_are_as_large_as_agree() -> None:
    layer = Blockwise()
    for count, expected in (
        (16, [16]),
        (20, [16, 16]),  # 32 would add in another order
        (192, [192]),
        (300, [256, 16, 16, 16]),
        (1_000, [256, 256, 256, 240]),
    ):
        layer(some_rows(count))  # finds out what agrees
        layer(some_rows(count))
        assert layer.calls == expected


@torch.inference_mode()
def test_one_row_at_a_time_is_the_last_resort() -> None:
    layer = Placed()
    layer(some_rows(20))
    layer(some_rows(20))
    assert set(layer.calls) == {1}


@torch.inference_mode()
def test_what_is_found_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    class Logged(Blockwise):
        name = "logged"

    with caplog.at_level(logging.INFO, "auricle.model.rows"):
        for _ in range(3):
            Logged()(some_rows(64))
    said = [record.getMessage() for record in caplog.records]
    assert said[0] == (
        "logged products of 240 by 8 in float32: 64 rows at once would give other bits than 16, "
        "so they are divided"
    )
    assert len(said) == len(set(said)) == 3  # and 48, and 32


def test_all_is_known_of_what_was_checked() -> None:
    class Checked(Blockwise):
        name = "checked"

    layer = Checked()
    check_rows(nn.Sequential(layer), LARGEST)
    with torch.inference_mode():
        layer(some_rows(LARGEST))
    assert layer.calls == [LARGEST]


def test_training_is_left_alone() -> None:
    layer = Blockwise()
    layer.like.requires_grad_()
    layer(some_rows(100))
    assert layer.calls == [100]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("width", "out"), [(32, 96), (240, 192), (768, 192), (192, 1_000)])
@settings(max_examples=10)
@given(rows=st.integers(1, 700), row=st.floats(0, 1, exclude_max=True))
@torch.inference_mode()
def test_a_linear_layer_gives_a_row_the_bits_that_it_has_alone(
    rows: int, row: float, width: int, out: int, dtype: torch.dtype
) -> None:
    torch.manual_seed(width * out)
    layer = Linear(width, out).to(dtype)
    x = some_rows(rows, width, dtype)
    mine = int(row * rows)
    assert torch.equal(layer(x)[mine], layer(x[mine : mine + 1])[0])
    torch.testing.assert_close(layer(x), layer.product(x), atol=2e-2, rtol=2e-2)


@pytest.mark.parametrize("rows", [1, 5, 31, 300])
@torch.inference_mode()
def test_threads_change_nothing_between_alone_and_together(threads: int, rows: int) -> None:
    layer, x = Linear(WIDTH, 200), some_rows(rows)
    assert torch.equal(layer(x)[-1], layer(x[-1:])[0])


@pytest.mark.parametrize("shape", [(1, 40, 32), (3, 1, 32), (2, 3, 4, 32), (32,), (0, 32)])
@torch.inference_mode()
def test_any_number_of_dimensions_is_taken(shape: tuple[int, ...]) -> None:
    layer = Linear(32, 48)
    x = torch.randn(*shape, generator=torch.manual_seed(0))
    torch.testing.assert_close(layer(x), layer.product(x))
