"""The one boundary for everything that comes from outside; every reader goes through it.

    files         regular files only (no pipe, no device), of a bounded size; paths that stay inside a folder
    json_values   JSON of a bounded size and depth, and dataclasses of it by their own field types
    safetensors   what a weights file holds, by its header, before a byte of the weights is read
    values        numbers that are finite and in range, environment variables, text without half characters,
                  and what may be shown in a terminal
    secrets       what of an address may be shown

Each refusal is an LvmError that says what was given, what was expected and what to do. Pass `error` to say whose it is
(a damaged run is a ModelError, a damaged source a SourceError).
"""
