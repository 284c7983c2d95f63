"""Workarounds for torch."""

from __future__ import annotations

import gc

import torch


def leave_processes() -> None:
    """Leave the process group of a distributed run, if this is one.

    For torch 2.13 with gloo: a process that exits with a live group, or leaves the group
    while a DistributedDataParallel model exists, sometimes aborts ('terminate called
    without an active exception') after its work is done. Call it at the end, when nothing
    refers to the runner any more.
    """
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        gc.collect()  # runner and hooks refer to each other
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()
