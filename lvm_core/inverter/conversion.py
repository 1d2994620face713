"""A language model from GGUF to bfloat16 safetensors: python -m lvm_core.inverter.conversion SOURCE FOLDER."""

import sys
from pathlib import Path


def convert(source: Path, folder: Path) -> None:
    """Write config.json, model.safetensors and tokenizer.json of the model in `source` into `folder`."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(source.parent, gguf_file=source.name)
    model.to(torch.bfloat16).save_pretrained(folder)
    AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name).save_pretrained(folder)


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
