// 看要求了什么：打开存下的报文，写到终端，一封一行。
// What was asked: the stored messages of one request, opened, one a line, for their owner's terminal.
//
// The ledger is only read, so the partner may be running. It is the one place that writes personal data out.
import { readFile } from 'node:fs/promises';
import { verbOf } from './conversation.mjs';
import { say } from './log.mjs';
import { open, verify } from './message.mjs';

export async function show(requestNo, { code, ledger }, keys) {
  const shown = new Set();
  for (const line of (await readFile(ledger, 'utf8')).split('\n').slice(0, -1)) {
    const { at, message } = JSON.parse(line);
    if (message?.text === undefined || shown.has(message.id)) continue;
    const believed = await verify(Buffer.from(message.text), { code, keys, now: Date.parse(at) });
    const { envelope } = believed;
    if (envelope.subject !== requestNo) continue;
    shown.add(message.id);
    const { type, seqno, time } = envelope;
    const opened = { verb: verbOf(envelope), type, seqno, time, head: envelope.data.head ?? {}, body: await open(believed, keys) };
    say(opened);
  }
  return shown.size > 0;
}
