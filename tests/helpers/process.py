"""Python in a process of its own."""

import os
import subprocess
import sys
import textwrap


def run_python(code, *args, **env):
    """Run code in a process of its own, away from what this one has imported."""
    return subprocess.run(
        [sys.executable, '-c', textwrap.dedent(code), *map(str, args)],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=120,
    )
