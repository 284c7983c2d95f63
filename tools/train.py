"""Train a model: pre-training, linear evaluation or fine-tuning, as the config says."""

import os
import signal

if __name__ == '__main__':
    # First of all, for the imports take seconds: a job that is to end, ends with 75,
    # "try again later". Once training runs, it saves a checkpoint before.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(75))

    from hiclr_mmaction.cli.train import main

    main()
