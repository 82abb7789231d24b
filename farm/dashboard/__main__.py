"""`python -m farm.dashboard`: how `farm dashboard` starts the process, and nobody else."""

from farm.dashboard.serve import main

if __name__ == "__main__":
    main()
