"""The model servers that run on this machine, with their models."""

import asyncio
from dataclasses import dataclass

from llamora.inference.config import ModelConfig
from llamora.llm.errors import ModelError


@dataclass(frozen=True, kw_only=True)
class FoundServer:
    """A server that answers: its address, its kind, such as "Ollama", its models, and if it is elsewhere."""

    url: str
    kind: str
    models: tuple[str, ...]
    is_remote: bool = False


async def find_servers(config: ModelConfig, *, chosen: str = "", seconds: float = 2.0) -> list[FoundServer]:
    """Return the servers that answer within some seconds: that of the settings, or else at usual addresses.

    `chosen` is the address of the household's choice, which may be another one.
    """
    urls = (config.url,) if config.url else dict.fromkeys((*filter(None, (chosen,)), *config.usual_addresses))
    found = await asyncio.gather(*(_probe(url, config, seconds) for url in urls))
    return [server for server in found if server is not None]


async def _probe(url: str, config: ModelConfig, seconds: float) -> FoundServer | None:
    # Importing httpx takes a tenth of a second.
    from llamora.llm.client import ModelServer  # noqa: PLC0415

    try:
        server = ModelServer(url, api_key=config.api_key, allow_remote=config.allow_remote)
    except ModelError:
        return None
    try:
        async with asyncio.timeout(seconds):
            offer = await server.probe(named=config.name if config.url else "")
    except (ModelError, TimeoutError):
        return None
    finally:
        await server.close()
    models = tuple(model for model in offer.models if "embed" not in model.lower())
    return FoundServer(url=url, kind=offer.kind, models=models, is_remote=server.is_remote)
