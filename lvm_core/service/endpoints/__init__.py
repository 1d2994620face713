"""The endpoints, a file a group. A new one is one file with a `router`, and one line in `ENDPOINTS`."""

from fastapi import APIRouter

from lvm_core.service.endpoints import (
    chunk,
    corpora,
    decode,
    encode,
    health,
    infer,
    jobs,
    library,
    models,
    openai,
    predict,
    rollout,
    search,
    tmd,
)

ENDPOINTS: tuple[APIRouter, ...] = (
    predict.router,
    rollout.router,
    encode.router,
    decode.router,
    infer.router,
    chunk.router,
    search.router,
    tmd.router,
    models.router,
    corpora.router,
    jobs.router,
    openai.router,
    library.router,
    health.router,
)
"""In the order in which /docs shows them."""
