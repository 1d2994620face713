"""One file a command, each with three functions.

`add_arguments(parser)` declares the flags, `run(namespace, workspace)` does the work and returns a dict that
can be written as JSON, `report(result)` turns that dict into text for people. Logs and progress go to stderr.
`JOB` (a `lvm_core.jobs.kinds.Kind`, or None for what answers at once) says what the queue must know of it.
"""
