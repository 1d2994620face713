"""The endpoints, a file a group. A new one is one file with a `router`, and one line in `ENDPOINTS`."""

from fastapi import APIRouter

from lvm_core.service.endpoints import encode, health, models, predict

ENDPOINTS: tuple[APIRouter, ...] = (
    predict.router,
    encode.router,
    models.router,
    health.router,
)
"""In the order in which /docs shows them."""
