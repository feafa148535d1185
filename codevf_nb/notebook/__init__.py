"""The extension: the magics, the grammar of their lines, their subcommands and completion."""
