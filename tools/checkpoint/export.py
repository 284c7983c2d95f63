"""Export a checkpoint of ours: for MMAction2 without this package, or to ONNX."""

from hiclr_mmaction.cli.checkpoint.export import main

if __name__ == '__main__':
    main()
