"""Measure accuracy over the number of labels, beside plain baselines."""

from hiclr_mmaction.cli.label_curve import main

if __name__ == '__main__':
    main()
