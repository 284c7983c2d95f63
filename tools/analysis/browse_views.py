"""Draw the growing views of a clip, as a still picture or an animation."""

from hiclr_mmaction.cli.analysis.browse_views import main

if __name__ == '__main__':
    main()
