"""A court system on the library: asks where somebody is, and sends back what cannot be used."""

import asyncio
import json
import sys
from pathlib import Path

from lianzhi.client import ClientConfig, CourtClient, InvalidBodyError


async def main(config: str, body: dict[str, object], paper: bytes, receiver: str, handler: str) -> None:
    async with CourtClient.from_config(ClientConfig.load(config), wait=1) as client:
        await client.put_document(paper, media_type="application/pdf")
        accepted = await client.submit(body, receiver=receiver)
        assert accepted.request_no is not None
        print(accepted.request_no, flush=True)
        async for event in client.events():
            if event.request_no == accepted.request_no and event.verb == "result":
                break
        result = next(m for m in await client.messages(accepted.request_no) if m.verb == "result")
        try:
            await client.unseal(result, reopen_by=handler)
        except InvalidBodyError as error:
            print(error.told(), flush=True)


config, submission, paper, *who = sys.argv[1:]
asyncio.run(main(config, json.loads(Path(submission).read_text("utf-8")), Path(paper).read_bytes(), *who))
