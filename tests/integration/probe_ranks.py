"""Run by torchrun: linear evaluation on several ranks.

Prints one line on rank 0: how many batches this rank's encoder saw, the accuracy, and
whether the ranks hold the same weights.
"""

import sys
from pathlib import Path

import torch
import torch.distributed as dist
from mmengine.dist import all_gather
from mmengine.runner import Runner

sys.path.insert(0, str(Path(__file__).parents[1]))
from helpers.configs import ranks_config

from hiclr_mmaction.compat import leave_processes, prepare_cpu_launch


def train(work_dir: str, checkpoint: str, batch_size: str) -> None:
    cfg = ranks_config(Path(work_dir), Path(checkpoint), int(batch_size))
    cfg.launcher = 'pytorch'
    prepare_cpu_launch(cfg)
    runner = Runner.from_cfg(cfg)
    calls = []
    norm = runner.model.module.backbone.data_bn
    norm.register_forward_hook(lambda *_: calls.append(1))
    runner.train()
    same = True
    for value in runner.model.module.state_dict().values():
        first, *others = all_gather(value.contiguous())
        same = same and all(torch.equal(first, other) for other in others)
    accuracy = runner.message_hub.get_scalar('val/acc/top1').current()
    if dist.get_rank() == 0:
        print('REPORT', dict(calls=len(calls), same=same, accuracy=float(accuracy)))


if __name__ == '__main__':
    train(*sys.argv[1:])
    leave_processes()
