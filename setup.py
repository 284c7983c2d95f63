"""The metadata is in setup.cfg; this adds to the wheel what ``mim`` looks for."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent


class BuildWithMim(build_py):
    """Copy configs, tools and the model index to ``hiclr_mmaction/.mim``."""

    def run(self):
        super().run()
        if self.editable_mode:  # the checkout has them
            return
        target = Path(self.build_lib, 'hiclr_mmaction', '.mim')
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        unwanted = shutil.ignore_patterns('__pycache__', '*.py[cod]')
        for folder in ('configs', 'tools'):
            shutil.copytree(ROOT / folder, target / folder, ignore=unwanted)
        shutil.copy(ROOT / 'model-index.yml', target)


setup(cmdclass={'build_py': BuildWithMim})
