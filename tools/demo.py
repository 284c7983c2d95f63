"""The class of a skeleton file, with scores and an animation."""

from hiclr_mmaction.cli.demo import main

if __name__ == '__main__':
    main()
