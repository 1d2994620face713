"""The studio over HTTP: the same engine as the pages and the command line, for other programs to call."""
