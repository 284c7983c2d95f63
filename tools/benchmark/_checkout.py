"""A step, or the making of views, by the package of another checkout.

Two versions of a package do not fit into one process: each checkout has one of its own,
which works when it is asked. Only what every version has is used: the config
``hiclr_stgcn_ntu60.py``, the model that it builds and the model's preprocessor.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ANSWER = 'ANSWER '


class Checkout:
    """A process that works with the package of a checkout.

    Args:
        folder (Path): The checkout.
        what (str): ``'step'`` or ``'views'``.
        batch_size (int): Clips in a batch.
        device (str): ``'cpu'`` or ``'cuda'``.
        clock (str): ``'wall'`` or ``'process'``.
        threads (int, optional): Of torch.
    """

    def __init__(
        self,
        folder: Path,
        what: str,
        batch_size: int,
        device: str = 'cpu',
        clock: str = 'wall',
        threads: int | None = None,
    ) -> None:
        folder = Path(folder).resolve()
        if not (folder / 'configs' / 'hiclr_stgcn_ntu60.py').is_file():
            sys.exit(
                f'--against: {folder} is not a checkout of this project: it has no '
                'configs/hiclr_stgcn_ntu60.py'
            )
        options = [what, folder, batch_size, device, clock, threads or 0]
        self._process = subprocess.Popen(
            [sys.executable, __file__, *map(str, options)],
            env=dict(os.environ, PYTHONPATH=str(folder)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def seconds(self, calls: int) -> float:
        """Seconds that so many calls take."""
        with contextlib.suppress(BrokenPipeError):
            print(calls, file=self._process.stdin, flush=True)
        for line in self._process.stdout:
            if line.startswith(ANSWER):
                return float(line.removeprefix(ANSWER))
        sys.exit('--against: the process of the checkout ended; its error is above')

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()


def build(what: str, folder: Path, batch_size: int, device: str) -> Callable:
    """The function that is measured."""
    import torch
    from _measure import make_clips
    from mmaction.registry import MODELS
    from mmengine.config import Config
    from mmengine.optim import build_optim_wrapper
    from mmengine.registry import init_default_scope

    import hiclr_mmaction

    assert folder in Path(hiclr_mmaction.__file__).parents, hiclr_mmaction.__file__
    init_default_scope('mmaction')
    cfg = Config.fromfile(folder / 'configs' / 'hiclr_stgcn_ntu60.py')
    clips = make_clips(batch_size, 0.75, device)
    preprocessor = cfg.model.data_preprocessor
    if what == 'views':
        if preprocessor.get('views') is None:
            transforms = {t['type']: t for t in cfg.train_dataloader.dataset.pipeline}
            preprocessor.views = dict(levels=transforms['GrowingAugmentation'].levels)
        prepare = MODELS.build(preprocessor).to(device)
        return lambda: prepare(dict(inputs=clips), True)
    model = MODELS.build(cfg.model).to(device).train()
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    mask = torch.rand(clips.shape[0], *clips.shape[2:4], device=clips.device) < 0.1
    views = dict(key=clips, queries=[clips, clips, clips], mask=mask)

    def step() -> None:
        inputs = model.data_preprocessor(dict(inputs=views), True)['inputs']
        loss, _ = model.parse_losses(model.loss(inputs))
        wrapper.zero_grad()
        loss.backward()
        wrapper.optimizer.step()

    return step


def main() -> None:
    what, folder, batch_size, device, clock, threads = sys.argv[1:]

    import torch
    from _measure import CLOCKS, seconds

    if int(threads):
        torch.set_num_threads(int(threads))
    function = build(what, Path(folder), int(batch_size), device)
    for line in sys.stdin:
        taken = seconds(function, int(line), torch.device(device), CLOCKS[clock])
        print(f'{ANSWER}{taken}', flush=True)


if __name__ == '__main__':
    main()
