"""Features of skeleton clips, without a config."""

from hiclr_mmaction.cli.features import main

if __name__ == '__main__':
    main()
