"""A task, a draft, a balance as text and as HTML, with all escaping and number formatting."""
