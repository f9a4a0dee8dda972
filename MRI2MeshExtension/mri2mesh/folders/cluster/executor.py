"""A dask.distributed cluster in the place of this machine's processors: the same cases, the same program."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from mri2mesh.errors import InputError

NOT_INSTALLED = 'a cluster needs dask.distributed: pip install "mri2mesh[cluster]"'
CONNECT_S = 15


@contextmanager
def cluster_executor(address: str) -> Iterator[Executor]:
    """Of the scheduler at an address, as ``tcp://host:8786``. A case whose worker is lost is given to another.

    The cluster's machines must see the folders under the same paths, and have this program installed.
    Raises InputError where dask.distributed is not installed or no scheduler answers.
    """
    try:
        from distributed import Client
    except ModuleNotFoundError:
        raise InputError(NOT_INSTALLED) from None
    try:
        client = Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TimeoutError, asyncio.TimeoutError) as error:
        raise InputError(
            f"no scheduler answers at {address}: start one with `dask scheduler` ({type(error).__name__})"
        ) from None
    with client:
        # each call is a case of its own, even where two would look alike
        yield client.get_executor(pure=False, retries=2)
