"""A project's own train script, as MMAction2 users write one: CONFIG WORK_DIR."""

import sys

from mmengine.config import Config
from mmengine.runner import Runner

cfg = Config.fromfile(sys.argv[1])
cfg.work_dir = sys.argv[2]
Runner.from_cfg(cfg).train()
