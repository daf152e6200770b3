"""The commands, one module a group. Each imports the core when it runs, so that ``--help`` is fast."""
