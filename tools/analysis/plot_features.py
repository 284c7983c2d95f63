"""Draw the features of a config's clips in the plane, coloured by class."""

from hiclr_mmaction.cli.analysis.plot_features import main

if __name__ == '__main__':
    main()
