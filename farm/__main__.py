"""`python -m farm`, and the console script `farm`. It is there without the extra too, and then says what is missing."""

import sys

try:
    from farm.cli.app import main
except ModuleNotFoundError as missing:
    if missing.name not in ("typer", "click"):
        raise

    def main(arguments: list[str] | None = None) -> None:
        """Says what is missing."""
        sys.exit('farm: typer is missing, its command line stands on it: pip install "plcfarm[farm]"')


if __name__ == "__main__":
    main()
