"""Draw the confusion matrix of a classifier and list what it confuses most."""

from hiclr_mmaction.cli.analysis.confusion import main

if __name__ == '__main__':
    main()
