"""``python -m codevf_nb.cli``."""

from codevf_nb.cli import main

if __name__ == "__main__":
    main()
