"""Draw the curves of one or several runs."""

from hiclr_mmaction.cli.analysis.plot_log import main

if __name__ == '__main__':
    main()
