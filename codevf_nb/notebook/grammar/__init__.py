"""The line after ``%%codevf``: free words as the prompt, options in one run before it, or after it, or both.

Shell rules would eat ``C:\\tmp`` and die on ``what's wrong``; argparse would take ``--mod`` for ``--mode``. So the line
is read from its ends (``reading``): options at its start, or the longest run of whole options at its end, and
everything between them is the prompt, as typed. ``--`` ends the options. A word of the prompt that looks like an option
is refused (``slips``), since sending it would cost money. The options are those of
``questions.options``.
"""

from codevf_nb.notebook.grammar._options import GrammarError, option_called
from codevf_nb.notebook.grammar._reading import OptionValues, ParsedLine, join, read
from codevf_nb.notebook.grammar._values import convert

__all__ = ["GrammarError", "OptionValues", "ParsedLine", "convert", "join", "option_called", "read"]
