"""What is done every now and then while the household is served, whether or not anybody comes by."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

from django.db import DatabaseError, connection

from accounts import sessions
from llamora.database import NotWritten

EVERY = 60.0

logger = logging.getLogger("llamora.housekeeping")


async def sweep_sessions() -> None:
    """End sessions that are past their limits, until this is cancelled: nobody may come back to notice."""
    pool = ThreadPoolExecutor(1, thread_name_prefix="sweep")
    try:
        while True:
            await asyncio.sleep(EVERY)
            await asyncio.get_running_loop().run_in_executor(pool, _sweep)
    finally:
        pool.submit(connection.close)
        pool.shutdown(wait=False)


def _sweep() -> None:
    try:
        if ended := sessions.sweep():
            logger.info("%d sessions were past their limits and have ended.", ended)
    except (NotWritten, DatabaseError) as error:
        # What is past its limit opens nothing all the same; the next round tries again.
        logger.warning("Sessions could not be swept: %s", type(error).__name__)
