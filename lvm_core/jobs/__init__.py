"""Background jobs: a command's argument list, a workspace, and a process that outlives whoever started it.

A supervisor (one tiny process a job) starts the command in a process group of its own, waits, writes how it
ended and starts the next. The command beats and reports by itself. Nobody is needed to watch: whoever looks
next, the page, the command line or another supervisor, puts right what died unseen.
"""
