"""`python -m farm`: the same as the console script, for places where no script is installed."""

from farm.cli.app import main

if __name__ == "__main__":
    main()
