"""Pre-train an encoder and evaluate it by every protocol, with one table at the end."""

from hiclr_mmaction.cli.run_protocol import main

if __name__ == '__main__':
    main()
