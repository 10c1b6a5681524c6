"""A short list of small models that answer well, and an assessment of each for this machine.

The names of repositories and files are those under which the models are published on the hub, as of 2025; the
sizes are the ones shown there, rounded, and serve for advice only. A download takes size and SHA-256 from the
hub's response. Layers, heads and licences are from the models' cards.
"""

from dataclasses import dataclass
from typing import Final

from llamora.inference.model_choice.machine import Machine, estimate_memory
from llamora.pluralize import pluralize

# With fewer cores than this, a model of more parameters than this writes slower than people read.
_SLOW_BELOW_CORES, _SLOW_ABOVE_PARAMETERS = 4, 5_000_000_000


@dataclass(frozen=True, kw_only=True)
class CatalogueModel:
    """A model of the catalogue: its repository and file, its requirements, and a sentence about it."""

    name: str
    title: str
    repository: str
    file: str
    size: int
    parameters: int
    cache_bytes: int
    licence: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Suitability:
    """The suitability of a model for this machine, with a sentence about it."""

    fits: bool
    is_slow: bool
    memory: int
    sentence: str


def _cache(layers: int, heads: int, width: int = 128) -> int:
    return 2 * layers * heads * 2 * width


CATALOGUE: Final = (
    CatalogueModel(
        name="llama-3.2-3b",
        title="Llama 3.2 3B",
        repository="bartowski/Llama-3.2-3B-Instruct-GGUF",
        file="Llama-3.2-3B-Instruct-Q4_K_M.gguf",
        size=2_019_000_000,
        parameters=3_210_000_000,
        cache_bytes=_cache(28, 8),
        licence="Llama 3.2 Community License",
        sentence="The smallest that answers a diary sensibly; its replies are short and sometimes plain.",
    ),
    CatalogueModel(
        name="qwen3-4b",
        title="Qwen3 4B",
        repository="unsloth/Qwen3-4B-Instruct-2507-GGUF",
        file="Qwen3-4B-Instruct-2507-Q4_K_M.gguf",
        size=2_497_000_000,
        parameters=4_020_000_000,
        cache_bytes=_cache(36, 8),
        licence="Apache License 2.0",
        sentence="Careful for its size and good at following instructions, in many languages.",
    ),
    CatalogueModel(
        name="gemma-3-4b",
        title="Gemma 3 4B",
        repository="ggml-org/gemma-3-4b-it-GGUF",
        file="gemma-3-4b-it-Q4_K_M.gguf",
        size=2_490_000_000,
        parameters=3_880_000_000,
        cache_bytes=_cache(34, 4, 256),
        licence="Gemma Terms of Use",
        sentence="Warm in tone and good in European languages; sometimes says more than it knows.",
    ),
    CatalogueModel(
        name="mistral-7b",
        title="Mistral 7B",
        repository="bartowski/Mistral-7B-Instruct-v0.3-GGUF",
        file="Mistral-7B-Instruct-v0.3-Q4_K_M.gguf",
        size=4_373_000_000,
        parameters=7_250_000_000,
        cache_bytes=_cache(32, 8),
        licence="Apache License 2.0",
        sentence="An older model that writes natural English and French; other languages are weaker.",
    ),
    CatalogueModel(
        name="qwen2.5-7b",
        title="Qwen2.5 7B",
        repository="bartowski/Qwen2.5-7B-Instruct-GGUF",
        file="Qwen2.5-7B-Instruct-Q4_K_M.gguf",
        size=4_683_000_000,
        parameters=7_620_000_000,
        cache_bytes=_cache(28, 4),
        licence="Apache License 2.0",
        sentence="Dependable in many languages; its tone is rather businesslike.",
    ),
    CatalogueModel(
        name="llama-3.1-8b",
        title="Llama 3.1 8B",
        repository="bartowski/Meta-Llama-3.1-8B-Instruct-GGUF",
        file="Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf",
        size=4_921_000_000,
        parameters=8_030_000_000,
        cache_bytes=_cache(32, 8),
        licence="Llama 3.1 Community License",
        sentence="The best of this list at reading closely, if the machine is quick enough for it.",
    ),
)


def find_catalogue_model(name: str) -> CatalogueModel | None:
    """Return the listed model with this name, title or file, or None."""
    wanted = name.strip().lower()
    return next(
        (found for found in CATALOGUE if wanted in (found.name, found.title.lower(), found.file.lower())),
        None,
    )


def assess(model: CatalogueModel, machine: Machine, *, context: int, parallel: int) -> Suitability:
    """Return how well this machine can run a model with `parallel` replies at once.

    Each of them needs memory for its own context window.
    """
    needed = estimate_memory(
        size=model.size, cache_bytes=model.cache_bytes, context=context, parallel=parallel
    )
    fits = not machine.memory or needed <= machine.memory
    is_slow = model.parameters > _SLOW_ABOVE_PARAMETERS and machine.cores < _SLOW_BELOW_CORES
    if not fits:
        sentence = (
            f"Needs about {format_gigabytes(needed)} of memory; this machine has "
            f"{format_gigabytes(machine.memory)}."
        )
    elif machine.memory and needed > machine.available:
        sentence = f"Needs about {format_gigabytes(needed)} of memory: close other programs first."
    else:
        sentence = f"Needs about {format_gigabytes(needed)} of memory, which this machine has."
    if fits and is_slow:
        cores = pluralize(machine.cores, "processor core", "processor cores")
        sentence += f" With {cores}, replies will be slow."
    return Suitability(fits=fits, is_slow=is_slow, memory=needed, sentence=sentence)


def format_parameters(count: int) -> str:
    """Return a number of parameters in words."""
    for unit, name in ((10**9, " billion"), (10**6, " million")):
        if count >= unit:
            return f"{count / unit:.1f}{name} parameters"
    return f"{count:,} parameters"


def format_gigabytes(size: int) -> str:
    """Return a size in gigabytes of 1000 MB, as hubs and disks count."""
    return f"{size / 1e9:,.1f} GB" if size >= 10**8 else f"{size / 1e6:,.1f} MB"
