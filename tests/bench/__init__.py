"""How fast, measured against something else in the same run: ``python -m tests.bench [--small] [NAME …]``.

A time alone says nothing on a machine that is shared, so each row of the table is a pair that was measured in turn, A B
A B, and is told by its medians. No test asserts any of it; ``test_harness.py`` sees that the harness runs.
"""
