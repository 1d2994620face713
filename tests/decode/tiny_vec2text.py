"""Tiny random T5s in the layout of the hub's cache: the real loading code runs, the text is nonsense."""

from pathlib import Path

WORDS = (
    "river", "stone", "light", "copper", "garden", "winter", "silver", "engine", "paper",
    "salt", "north", "bridge", "candle",
)  # fmt: skip
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def build_hub(cache: Path) -> None:
    """Write t5-base, gtr-t5-base and both pairs of checkpoints under `cache`, with random weights."""
    import torch

    torch.manual_seed(7)
    backbone = snapshot(cache, "t5-base")
    embedder = snapshot(cache, "sentence-transformers/gtr-t5-base")
    write_backbone(backbone)
    write_embedder(embedder)
    folders = {"t5-base": backbone, "sentence-transformers/gtr-t5-base": embedder}
    for name, embedder_name in (("jxm", "gtr_base"), ("ielab", "gtr_base_st")):
        write_pair(cache, name, embedder_name, folders)


def snapshot(cache: Path, repository: str) -> Path:
    root = cache / f"models--{repository.replace('/', '--')}"
    (root / "refs").mkdir(parents=True)
    (root / "refs" / "main").write_text(COMMIT)
    folder = root / "snapshots" / COMMIT
    folder.mkdir(parents=True)
    return folder


def tokenizer():
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from tokenizers import decoders as token_decoders
    from transformers import T5TokenizerFast

    pieces = ["▁" + word for word in dict.fromkeys(WORDS)] + ["▁", *"abcdefghijklmnopqrstuvwxyz.,"]
    vocab = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)] + [(piece, -2.0) for piece in pieces]
    raw = Tokenizer(models.Unigram(vocab, unk_id=2, byte_fallback=False))
    raw.pre_tokenizer = pre_tokenizers.Metaspace()
    raw.decoder = token_decoders.Metaspace()
    raw.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    return T5TokenizerFast(tokenizer_object=raw, extra_ids=0, model_max_length=512)


def t5_config(d_model: int):
    from transformers import T5Config

    return T5Config(
        vocab_size=len(tokenizer()), d_model=d_model, d_kv=16, d_ff=64, num_layers=1, num_decoder_layers=1,
        num_heads=2, decoder_start_token_id=0, initializer_factor=3.0, feed_forward_proj="relu",
    )  # fmt: skip


def write_backbone(folder: Path) -> None:
    from transformers import T5ForConditionalGeneration

    model = T5ForConditionalGeneration(t5_config(64))
    model.generation_config.suppress_tokens = [0, 2]
    model.generation_config.begin_suppress_tokens = [1]
    model.generation_config.exponential_decay_length_penalty = (6, 1.6)
    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)


def write_embedder(folder: Path) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import modules
    from transformers import T5EncoderModel

    T5EncoderModel(t5_config(768)).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    parts = [modules.Transformer(str(folder)), modules.Pooling(768)]
    parts += [modules.Dense(768, 768, bias=False), modules.Normalize()]
    SentenceTransformer(modules=parts, device="cpu").save(str(folder), create_model_card=False)


def write_pair(cache: Path, name: str, embedder_name: str, folders: dict[str, Path]) -> None:
    from lvm_core.decode.vec2text_files import PAIRS
    from lvm_core.decode.vec2text_load import _bent

    pair = PAIRS[name]
    with _bent(folders):
        import vec2text

        config = vec2text.models.config.InversionConfig(
            model_name_or_path=str(folders["t5-base"]), embedder_model_name=embedder_name, embedder_model_api=None,
            embedder_fake_with_zeros=False, use_frozen_embeddings_as_input=False, encoder_dropout_disabled=True,
            decoder_dropout_disabled=True, embeddings_from_layer_n=None, use_lora=False, max_seq_length=32,
            num_repeat_tokens=4, embedder_no_grad=True, embedder_torch_dtype="float32", bottleneck_dim=768,
            corrector_ignore_hypothesis_embedding=False,
        )  # fmt: skip
        for cls, repository in (
            (vec2text.models.InversionModel, pair.hypothesizer),
            (vec2text.models.CorrectorEncoderModel, pair.corrector),
        ):
            model = cls(config)
            model.config.model_name_or_path = "t5-base"
            model.save_pretrained(snapshot(cache, repository), safe_serialization=False)
            model.config.model_name_or_path = str(folders["t5-base"])
