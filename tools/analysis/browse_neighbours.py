"""Show a clip and its neighbours in feature space on a page to be turned by the mouse."""

from hiclr_mmaction.cli.analysis.browse_neighbours import main

if __name__ == '__main__':
    main()
