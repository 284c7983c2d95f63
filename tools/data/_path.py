"""Takes this folder, where `inspect.py` is, off the path of its programs."""

import os
import sys

here = os.path.dirname(os.path.realpath(__file__))
sys.path = [folder for folder in sys.path if os.path.realpath(folder or '.') != here]
