"""One training by several processes: each runs the net on its share of every batch, and all take the same steps.

Predictions are gathered before the loss and gradients summed after it, so that a step is the one that a single process
would take, whatever the loss (data parallelism: Li et al. 2020, "PyTorch Distributed", section 3.2, without averaging).
"""

import contextlib
import datetime
import os
import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import psutil
import torch
from torch import Tensor, nn
from torch import distributed as dist

from lvm_core.dataset import Batch
from lvm_core.errors import ExecutorLost, JobError
from lvm_core.workspace import write_text

T = TypeVar("T")
MEETING_S, LOOK_S = 3600.0, 0.1
SILENT = datetime.timedelta(hours=6)
"""So long one may wait for the others, who may be fitting a filter; one that is gone is noticed at once."""


class Alone:
    """The one process of a training."""

    rank, size = 0, 1

    @property
    def leads(self) -> bool:
        """Whether this process writes, measures and tells for all."""
        return self.rank == 0

    def share(self, batch: Batch) -> Batch:
        """Return the part of a batch that this process runs the net on."""
        return batch

    def joined(self, output: Tensor, _n_rows: int) -> Tensor:
        """Return the predictions of the whole batch of `n_rows`, of which `output` is this process's part."""
        return output

    def sum_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Give every process the sum of all gradients."""

    def total(self, value: Tensor) -> Tensor:
        """Return the sum of a value over the processes."""
        return value

    def any_of(self, *flags: bool) -> tuple[bool, ...]:
        """Return of each flag whether a process has it up."""
        return flags

    def told(self, value: T) -> T:
        """Return what the process that leads has as `value`."""
        return value

    def same_weights(self, model: nn.Module) -> None:
        """Give every process the weights of the one that leads."""

    def of_all(self, value: T) -> list[T]:
        """Return the `value` of every process, by rank."""
        return [value]


ALONE = Alone()


class Together(Alone):
    """One of several processes, which have met."""

    def __init__(self, rank: int, size: int) -> None:
        self.rank, self.size = rank, size

    def share(self, batch: Batch) -> Batch:
        """Return as many rows as every process has; the last rows of a batch may be there twice, the second masked."""
        n_rows = len(batch.x)
        n_own = -(-n_rows // self.size)
        place = torch.arange(self.rank * n_own, (self.rank + 1) * n_own)
        rows = place.clamp(max=n_rows - 1)
        mask = batch.mask[rows] & (place < n_rows)[:, None]
        tmd = None if batch.tmd is None else batch.tmd[rows.to(batch.tmd.device)]
        at = rows.to(batch.x.device)
        return Batch(batch.x[at], batch.y[at], mask, tmd)

    def joined(self, output: Tensor, n_rows: int) -> Tensor:
        """Return the predictions (n_rows, T, D) of all; a gradient flows back to this process's own."""
        whole: Tensor = _Joined.apply(output, self.rank, self.size, n_rows)  # type: ignore[no-untyped-call]
        return whole

    def sum_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Give every process the sum of all gradients, in one exchange."""
        grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        flat = torch.cat([grad.flatten() for grad in grads])
        with _parting():
            dist.all_reduce(flat)
        for parameter, part in zip(parameters, torch.split(flat, [p.numel() for p in parameters]), strict=True):
            parameter.grad = part.view_as(parameter)

    def total(self, value: Tensor) -> Tensor:
        """Return the sum of a value over the processes."""
        value = value.detach().clone()
        with _parting():
            dist.all_reduce(value)
        return value

    def any_of(self, *flags: bool) -> tuple[bool, ...]:
        """Return of each flag whether a process has it up; on the CPU, so that no GPU is waited for."""
        up = torch.tensor([float(flag) for flag in flags])
        with _parting():
            dist.all_reduce(up)
        return tuple(n > 0 for n in up.tolist())

    def told(self, value: T) -> T:
        """Return what the process that leads has as `value`."""
        said: list[Any] = [value if self.leads else None]
        with _parting():
            dist.broadcast_object_list(said, src=0, device=torch.device("cpu"))
        heard: T = said[0]
        return heard

    def same_weights(self, model: nn.Module) -> None:
        """Give every process the weights and buffers of the one that leads."""
        with _parting():
            for tensor in model.state_dict().values():
                dist.broadcast(tensor, src=0)

    def of_all(self, value: T) -> list[T]:
        """Return the `value` of every process, by rank."""
        return [self._of(rank, value) for rank in range(self.size)]

    def _of(self, rank: int, value: T) -> T:
        said: list[Any] = [value if self.rank == rank else None]
        with _parting():
            dist.broadcast_object_list(said, src=rank, device=torch.device("cpu"))
        heard: T = said[0]
        return heard


class _Joined(torch.autograd.Function):
    """Puts the rows of all processes one behind the other; each takes back the gradient of its own."""

    @staticmethod
    def forward(context: Any, own: Tensor, rank: int, size: int, n_rows: int) -> Tensor:
        context.place = (rank * len(own), len(own))
        parts = [torch.empty_like(own) for _ in range(size)]
        with _parting():
            dist.all_gather(parts, own.contiguous())
        return torch.cat(parts)[:n_rows]

    @staticmethod
    def backward(context: Any, *grads: Tensor) -> tuple[Tensor, None, None, None]:
        first, n = context.place
        own = grads[0][first : first + n]
        lacking = own.new_zeros(n - len(own), *own.shape[1:])
        return torch.cat([own, lacking]), None, None, None


@contextlib.contextmanager
def meeting(file: Path, rank: int, size: int) -> Iterator[Alone]:
    """Meet the other processes of a training through `file`, which all see, and part from them in the end.

    Raises:
        JobError: if the one that leads does not come within an hour.
        ExecutorLost: in the middle of it, once one of the others is gone.
    """
    _speak_where_others_hear()
    with _parting():
        store = _store(file, rank, size)
        gpu = torch.cuda.is_available()
        if gpu and torch.cuda.device_count() > 1:
            torch.cuda.set_device(rank % torch.cuda.device_count())
        backend = "cpu:gloo,cuda:nccl" if gpu else "gloo"
        dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=SILENT)
    try:
        yield Together(rank, size)
    finally:
        with contextlib.suppress(RuntimeError):
            dist.destroy_process_group()


def _store(file: Path, rank: int, size: int) -> Any:
    from torch.distributed import TCPStore  # type: ignore[attr-defined]

    patience = datetime.timedelta(seconds=MEETING_S)
    if rank == 0:
        store = TCPStore(_address(), 0, size, is_master=True, timeout=patience, wait_for_workers=False)
        write_text(file, f"{store.host} {store.port}")
        return store
    stop = time.monotonic() + MEETING_S
    while not file.exists():
        if time.monotonic() > stop or not file.parent.is_dir():
            raise JobError(
                "The process that leads the training did not come",
                f"it within {MEETING_S / 60:.0f} minutes",
                "See in the log what keeps it; give the training fewer --workers than there is room for.",
            )
        time.sleep(LOOK_S)
    host, port = file.read_text(encoding="utf-8").split()
    return TCPStore(host, int(port), size, is_master=False, timeout=patience)


def _address() -> str:
    """Return the address by which other machines reach this one; the loopback's where it has no other."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("10.255.255.255", 9))  # nothing is sent: the system only says which way it would go
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


def _speak_where_others_hear() -> None:
    """Let gloo speak by the interface of that address: the host's name may be one of the loopback's."""
    mine = _address()
    for name, addresses in psutil.net_if_addrs().items():
        if any(one.address == mine for one in addresses):
            os.environ.setdefault("GLOO_SOCKET_IFNAME", name)


@contextlib.contextmanager
def _parting() -> Iterator[None]:
    """Turn what is said where another process is gone into what can be done."""
    try:
        yield
    except RuntimeError as error:  # all that torch.distributed raises is one
        lines = str(error).splitlines() or [type(error).__name__]
        raise ExecutorLost(
            f"Another process of this training is gone ({lines[0][:200]})",
            "all of them to the end",
            "Its last checkpoint is kept: resume.",
        ) from error
