"""`python -m codevf_nb.sandbox`."""

import argparse
import sys

from codevf_nb.sandbox._command import add_arguments, run

parser = argparse.ArgumentParser(prog="python -m codevf_nb.sandbox", description=__doc__, allow_abbrev=False)
add_arguments(parser)
sys.exit(run(parser.parse_args()))
