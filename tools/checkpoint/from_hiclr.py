"""Convert a checkpoint of the released HiCLR project to one of ours."""

from hiclr_mmaction.cli.checkpoint.from_hiclr import main

if __name__ == '__main__':
    main()
