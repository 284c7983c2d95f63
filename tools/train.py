"""Train a model: pre-training, linear evaluation or fine-tuning, as the config says."""

from hiclr_mmaction.cli.train import main

if __name__ == '__main__':
    main()
