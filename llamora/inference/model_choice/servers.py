"""Model servers that answer at known addresses, with their models."""

import asyncio
from dataclasses import dataclass

from llamora.inference.config import ModelConfig
from llamora.inference.model_choice.selection import Selection
from llamora.llm.errors import ModelError


@dataclass(frozen=True, kw_only=True)
class FoundServer:
    """A model server: its address, its kind (such as "Ollama"), its models, and whether it is remote."""

    url: str
    kind: str
    models: tuple[str, ...]
    is_remote: bool = False


async def find_servers(
    config: ModelConfig, *, chosen: Selection | None = None, seconds: float = 2.0
) -> list[FoundServer]:
    """Return the servers that answer within some seconds, at the configured or else the usual addresses.

    `chosen` is the household's choice, whose address is tried, too.
    """
    formats = dict.fromkeys((config.url,) if config.url else config.usual_addresses, config.wire_format)
    named = {config.url: config.name}
    if chosen and chosen.url and not config.url:
        formats = {chosen.url: "", **formats, chosen.url: chosen.wire_format or config.wire_format}
        named = {chosen.url: chosen.model}
    found = await asyncio.gather(
        *(
            _probe(url, config, wire_format, named.get(url, ""), seconds)
            for url, wire_format in formats.items()
        )
    )
    return [server for server in found if server is not None]


async def _probe(
    url: str, config: ModelConfig, wire_format: str, named: str, seconds: float
) -> FoundServer | None:
    # Importing httpx takes a tenth of a second.
    from llamora.llm.client import ModelServer  # noqa: PLC0415

    try:
        server = ModelServer(
            url,
            api_key=config.api_key,
            allow_remote=config.allow_remote,
            wire_format=wire_format,
            context=config.context,
        )
    except ModelError:
        return None
    try:
        async with asyncio.timeout(seconds):
            offer = await server.probe(named=named)
    except (ModelError, TimeoutError):
        return None
    finally:
        await server.close()
    models = tuple(model for model in offer.models if "embed" not in model.lower())
    return FoundServer(url=url, kind=offer.kind, models=models, is_remote=server.is_remote)
