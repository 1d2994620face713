"""One file a page: pages describe, `lvm_core` computes."""
