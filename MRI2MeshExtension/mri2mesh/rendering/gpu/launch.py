"""Kernels on torch's tensors: no copies, on the stream that torch uses, and nobody waits.

Warp keeps compiled kernels in the user's cache folder (WARP_CACHE_PATH names another), never beside the code, so an
installation that cannot be written is no obstacle.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import torch
import warp as wp
from torch import Tensor

TASKS = 1 << 18
"""Number of tasks that keeps a large GPU busy."""

LEAST_STRIPS = 4
"""Least number of strips, so that one large face among many small ones does not keep a single thread busy for all of
its pixels."""


def begin() -> None:
    """Starts Warp where it has not started, without its greeting: standard output belongs to whoever runs us."""
    wp.config.log_level = max(wp.config.log_level, wp.LOG_WARNING)
    wp.init()


begin()


def runs_on(device: torch.device) -> bool:
    """Whether kernels can run on a device. A GPU that torch drives may be too old, or its driver, for this Warp."""
    if device.type == "cuda":
        return wp.is_cuda_available()
    return device.type == "cpu"


def strips(images: int, faces: int, rows: int, device: torch.device) -> int:
    """Into how many strips of interleaved rows a face is cut. From shapes alone: asking the device would be waiting."""
    if device.type == "cpu":  # there the tasks come one after the other
        return 1
    return min(rows, max(LEAST_STRIPS, TASKS // max(1, images * faces)))


def doubles(tensor: Tensor) -> Tensor:
    """The same numbers as contiguous float64, free of autograd."""
    return tensor.detach().to(torch.float64).contiguous()


def launch(kernel: Any, dim: Sequence[int], arguments: Sequence[Any], device: torch.device) -> None:
    """Runs a kernel on tensors of one device and returns at once on CUDA.

    Tensors are taken as they are: [..., 3] is read as an array of vectors where the kernel asks for one. Raises
    ValueError for a tensor on another device.
    """
    packed = [
        _array(value, argument, device) if isinstance(value, Tensor) else value
        for value, argument in zip(arguments, kernel.adj.args, strict=True)
    ]
    stream = None
    if device.type == "cuda":
        stream = _stream(str(wp.device_from_torch(device)), torch.cuda.current_stream(device).cuda_stream)
    wp.launch(kernel, dim, packed, device=wp.device_from_torch(device), stream=stream, record_tape=False)


def _array(tensor: Tensor, argument: Any, device: torch.device) -> Any:
    if tensor.device != device:
        raise ValueError(f"everything to be rendered must be on {device}, part of it is on {tensor.device}")
    return wp.from_torch(tensor.detach(), dtype=argument.type.dtype, return_ctype=True)


@lru_cache(maxsize=16)
def _stream(device: str, handle: int) -> Any:
    """Torch's streams live as long as the process: wrapped once each."""
    return wp.Stream(device, cuda_stream=handle)
