"""Run by torchrun: trains on every rank and compares what the ranks then hold.

Prints one line on rank 0: how many clips were seen, and whether weights, queues and
key encoders are equal on all ranks and the views of the ranks are not.
"""

import sys
from pathlib import Path

import torch
import torch.distributed as dist
from mmengine.dist import all_gather
from mmengine.runner import Runner

sys.path.insert(0, str(Path(__file__).parents[1]))
from helpers.support import synthetic_config

from hiclr_mmaction.compat import leave_processes, prepare_cpu_launch


def same(tensor: torch.Tensor) -> bool:
    first, *others = all_gather(tensor.contiguous())
    return all(torch.equal(first, other) for other in others)


def train(work_dir: str) -> None:
    # 24 clips by twos on two ranks of batches of 5: the last batch is smaller.
    cfg = synthetic_config(
        Path(work_dir),
        **{
            'train_dataloader.batch_size': 5,
            'train_dataloader.drop_last': False,
            'train_cfg.max_epochs': 2,
            'auto_scale_lr': dict(enable=True, base_batch_size=5),
            'param_scheduler': None,
        },
    )
    cfg.launcher = 'pytorch'
    prepare_cpu_launch(cfg)
    runner = Runner.from_cfg(cfg)
    runner.train()
    model = runner.model.module
    dataset = runner.train_dataloader.dataset
    sample = dataset.pipeline(dataset.get_data_info(0))
    view = sample['inputs']['key']
    report = dict(
        clips=sum(len(b['data_samples']) for b in runner.train_dataloader),
        pointer=int(model.queue.pointer),
        queue=same(model.queue.features),
        weights=all(same(p.detach()) for p in model.backbone.parameters()),
        key=all(same(p) for p in model.key_encoder.module.parameters()),
        views_differ=not same(view),
        lr=runner.optim_wrapper.get_lr()['lr'][0],
    )
    if dist.get_rank() == 0:
        print('REPORT', report)


if __name__ == '__main__':
    train(sys.argv[1])
    leave_processes()
