"""The command line: `byollm init | check | providers | capabilities | complete | count | doctor`.

Commands of other distributions arrive by the entry point group `byollm.commands`: a callable that takes the words
after the command's name and returns the exit code. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
"""
