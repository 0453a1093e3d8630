#!/usr/bin/env node
// 联执合作单位示例：收报文，验签，解密，落盘，签收，回结果。
// A partner of the Lianzhi gateway: takes its messages, verifies and opens them, stores them, answers, signed.
//
// Reading order: this file → message.mjs (what is believed) → conversation.mjs (order) → work.mjs (what is answered).
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import * as answers from './answers.mjs';
import { ANSWERS_LOOKED_MS, GREETING_MS, NOTICES_PER_MINUTE, REFUSED_BYTES, RENUMBER_AHEAD } from './bounds.mjs';
import { canSay, find, place, remember, reply, routingKey, verbOf } from './conversation.mjs';
import { Keys } from './keys.mjs';
import { Ledger } from './ledger.mjs';
import { CONTENT_TYPE, Link } from './link.mjs';
import { cut, say } from './log.mjs';
import { open, seal, sign, uuid7, verify } from './message.mjs';
import { detailsOf, NOTICE_VERSION, readNotice } from './notice.mjs';
import { readOptions } from './options.mjs';
import { Refused } from './refused.mjs';
import { show } from './show.mjs';
import { answersTo } from './work.mjs';

const RECONNECT_MS = 1_000;

class Partner {
  #options;
  #keys;
  #ledger;
  #link;
  #handled = 0;
  #stopping = false;
  #misnamed = new Set();
  #greeted = -Infinity;
  #minute = { since: -Infinity, notices: 0 };

  constructor(options, keys, ledger) {
    this.#options = options;
    this.#keys = keys;
    this.#ledger = ledger;
  }

  // 断线重连，直到收到停止信号或收满 --once 封。Until told to stop, whatever happens to the connection.
  async run() {
    for (const requestNo of this.#ledger.conversations()) await this.#release(requestNo);
    while (!this.#stopping) {
      try {
        await this.#session();
      } catch (error) {
        say({ event: 'link-lost', error: cut(error.message) });
        await delay(RECONNECT_MS);
      }
    }
  }

  stop() {
    this.#stopping = true;
    this.#link?.wake();
  }

  async #session() {
    const link = await Link.open(this.#options);
    this.#link = link;
    say({ event: 'connected' });
    const look = setInterval(() => link.wake(), ANSWERS_LOOKED_MS);
    try {
      await this.#greet(Date.now());
      await this.#send(); // 上次没有发完的 what was left over
      while (!this.#stopping) {
        await this.#sayLater();
        await this.#send();
        const delivery = await link.next();
        if (delivery === undefined) continue; // woken to look at `stopping` and into answers/
        await this.#take(delivery, Date.now());
        link.ack(delivery); // 先落盘，后确认 only now: it is on the disk, and so are our answers
        await this.#send();
        this.#handled += 1;
        if (this.#handled >= this.#options.once) this.#stopping = true;
      }
    } finally {
      clearInterval(look);
      await link.close();
    }
  }

  // 事后的答复。What lies in answers/: into the ledger, signed, then out of the way. Said once, whatever breaks in between.
  async #sayLater() {
    const { answers: folder } = this.#options;
    for (const later of await answers.waiting(folder)) {
      const isKnown = this.#ledger.hasTaken(later.mark);
      if (isKnown) say({ event: 'answer-known', request_no: later.requestNo, verb: later.verb });
      const fits = isKnown || (await this.#sayOne(later));
      await answers.put(folder, later.file, fits ? 'done' : 'refused');
    }
    const misnamed = new Set(await answers.misnamed(folder)); // 每个名称只说一次 each name is told once
    for (const file of misnamed) if (!this.#misnamed.has(file)) say({ event: 'answer-misnamed', file });
    this.#misnamed = misnamed;
  }

  async #sayOne(later) {
    const { requestNo: request_no, verb, mark } = later;
    const conversation = this.#ledger.conversation(request_no);
    let answer;
    try {
      if (!canSay(conversation, verb)) throw new Refused('unknown-request');
      if (!this.#options.sayable(conversation.type).has(verb)) throw new Refused('unknown-verb');
      answer = await this.#write(conversation, answers.read(later));
    } catch (error) {
      const reason = error instanceof Refused ? error.code : 'poison';
      say({ event: 'answer-refused', request_no, verb, reason });
      return false;
    }
    await this.#ledger.record({ conversation, out: [answer], taken: mark });
    say({ event: 'answered', request_no, verb, seqno: conversation.ours });
    return true;
  }

  // 一封来文。A message off a queue → a line in the ledger. What throws here is our own fault: the message stays unacknowledged.
  async #take({ content, fields, properties }, now) {
    let message;
    try {
      if (properties.contentType !== CONTENT_TYPE) throw new Refused('bad-content-type');
      message = await verify(content, { code: this.#options.code, keys: this.#keys, now });
    } catch (error) {
      return this.#setAside(content, error);
    }
    const { envelope, digest } = message;
    if (envelope.subject === undefined) return this.#takeOutside(message, now);
    const known = this.#ledger.known(envelope);
    if (known) return this.#again(content, message, known);
    const taken = { source: envelope.source, id: envelope.id, digest, text: content.toString('ascii') };

    let conversation;
    let verdict;
    try {
      const before = this.#ledger.conversation(envelope.subject);
      conversation = find(before, envelope, fields.routingKey.split('.')[1]);
      if (!before) conversation.ours = (this.#ledger.expected(envelope.subject) ?? 1) - 1; // 恢复后接着编号 after a restore
      verdict = place(conversation, envelope);
    } catch (error) {
      return this.#setAside(content, error, { envelope });
    }
    if (verdict === 'apply') {
      await this.#apply(message, taken, conversation, now);
      return this.#release(envelope.subject);
    }
    if (verdict === 'hold') conversation.held[envelope.seqno] = { text: taken.text, at: now };
    await this.#ledger.record({ message: taken, verdict, conversation });
    return say({ event: verdict, ...names(envelope) });
  }

  // 轮到它了。Its turn: open it, decide what to answer, sign the answers, and write all of that as one line.
  async #apply(message, taken, placed, now) {
    const { envelope, digest } = message;
    const conversation = structuredClone(placed);
    const out = [];
    try {
      if (envelope.expires && Date.parse(envelope.expires) <= now) throw new Refused('expired', '/expires');
      const body = await open(message, this.#keys);
      remember(conversation, envelope, digest);
      const { system, demo } = this.#options;
      for (const saying of answersTo(verbOf(envelope), conversation, body, { system, now, demo })) {
        out.push(await this.#write(conversation, saying));
      }
    } catch (error) {
      // 内容不可用：占用其顺序号；首封除外，修好后同一报文可再收。It has used up its number; an `open` has not, and may come again.
      const kept = verbOf(envelope) === 'open' ? {} : { message: taken, conversation: placed };
      return this.#setAside(Buffer.from(taken.text), error, { envelope, kept });
    }
    await this.#ledger.record({ message: taken, verdict: 'applied', conversation, out });
    return say({ event: 'applied', ...names(envelope), answers: out.map((answer) => answer.verb) });
  }

  // 早到的，现在轮到了。Messages that came early and whose turn is now; judged by the time at which they came.
  async #release(requestNo) {
    for (;;) {
      const conversation = this.#ledger.conversation(requestNo);
      const early = conversation?.held[conversation.next];
      if (early === undefined) return;
      const { code } = this.#options;
      delete conversation.held[conversation.next];
      conversation.next += 1;
      let message;
      try {
        message = await verify(Buffer.from(early.text), { code, keys: this.#keys, now: early.at });
      } catch (error) {
        await this.#setAside(Buffer.from(early.text), error, { kept: { conversation } }); // 例如密钥已吊销 its key was revoked
        continue;
      }
      const { source, id } = message.envelope;
      await this.#apply(message, { source, id, digest: message.digest, text: early.text }, conversation, early.at);
    }
  }

  // 一封回文。One answer, numbered and signed; a result is sealed exactly when the `open` named a key for it.
  async #write(conversation, { verb, head, body, canonical }) {
    const { code } = this.#options;
    const now = Date.now();
    const id = uuid7(now);
    const envelope = reply(conversation, { verb, head, canonical }, { code, id, now });
    let kind = 'body';
    let content = body;
    if (verb === 'result' && conversation.reply_key) {
      const key = this.#keys.sealing(conversation.peer, conversation.reply_key, now);
      kind = 'sealed';
      content = await seal(body, envelope, conversation.reply_key, key);
    }
    const text = await sign(envelope, kind, content, this.#keys.signing);
    return { id, verb, routingKey: routingKey(conversation, verb, code), text };
  }

  // 收过的：一字不差就把当时的答复原样再发；否则是警报。Taken before: our stored answer goes out again, the same bytes.
  async #again(bytes, { envelope, digest }, known) {
    if (known.digest !== digest) return this.#setAside(bytes, new Refused('id-reused', '/id'), { envelope });
    const answer = this.#ledger.answer(known.answer);
    if (answer) await this.#ledger.record({ out: [answer] });
    return say({ event: 'again', ...names(envelope) });
  }

  // 请求之外：网关的通知（我方哪封报文为何被拒）、ping、pong。Outside any request. A notice is written down, so many a
  // minute; a ping is answered and a pong is heard, and neither needs the ledger: whoever misses one asks again.
  async #takeOutside({ envelope, kind, content }, now) {
    const verb = verbOf(envelope);
    if (verb === 'ping') {
      await this.#link.publish(await this.#outside('pong', envelope.source.slice(2), {}, now, envelope.id));
    }
    if (verb !== 'notice') return say({ event: verb, ...names(envelope) });
    const sender = envelope.source.slice(2);
    const body = kind === 'body' ? content : {};
    const notice = readNotice(body);
    const forgotten = this.#toSayAnew(notice, sender);
    if (forgotten === undefined && !this.#hasRoom(now)) return undefined;
    const entry = { notice: { source: envelope.source, id: envelope.id, ...notice }, forgotten };
    await this.#ledger.record({ ...entry, ...this.#renumbered(notice, sender) });
    return say({ event: verb, ...names(envelope), notice, ...detailsOf(body), put_again: forgotten?.split(' ')[0] });
  }

  // Whether one more notice of this minute is written down.
  #hasRoom(now) {
    if (now - this.#minute.since >= 60_000) this.#minute = { since: now, notices: 0 };
    this.#minute.notices += 1;
    if (this.#minute.notices === NOTICES_PER_MINUTE + 1) say({ event: 'more-notices' });
    return this.#minute.notices <= NOTICES_PER_MINUTE;
  }

  // 这份答复用了已用过的号，没有算数：同一文件可再放一次。The mark of an answer that had a number used before and so did not
  // count: the same file may be put into answers/ again. Once for each answer, so never bounded by the minute.
  #toSayAnew({ reason, message_id }, sender) {
    return reason === 'sequence-reused' && sender === this.#keys.court ? this.#ledger.markOf(message_id) : undefined;
  }

  // 台账恢复过，网关的下一号比我方大：新的报文从那一号起（docs/contracts.md）。After a restore of our ledger the gateway's next
  // number is beyond ours: what we say from now on is numbered from there. Only where our own records bear it out: the
  // request is new to us, we have said nothing in it, or the message that was refused is one of ours.
  #renumbered({ reason, request_no, message_id, next_seqno }, sender) {
    const asked = reason === 'sequence-reused' || (reason === 'sequence-gap' && message_id === undefined);
    if (!asked || sender !== this.#keys.court || request_no === undefined || !(next_seqno > 0)) return {};
    const conversation = this.#ledger.conversation(request_no);
    if (next_seqno - 1 > (conversation?.ours ?? 0) + RENUMBER_AHEAD) return {};
    if (!conversation) return { expected: { request_no, next_seqno } };
    const ours = reason === 'sequence-reused' ? this.#ledger.answer(message_id) : conversation.ours === 0;
    if (!ours || next_seqno - 1 <= conversation.ours) return {};
    conversation.ours = next_seqno - 1;
    return { conversation };
  }

  // 连接后说明能读第几版通知。After a connect: which version of a notice we read. Nothing depends on the answer.
  async #greet(now) {
    if (now - this.#greeted < GREETING_MS) return;
    this.#greeted = now;
    const ping = await this.#outside('ping', this.#keys.court, { notice_version: NOTICE_VERSION }, now);
    await this.#link.publish(ping).catch((error) => say({ event: 'ping-not-sent', error: cut(error.message) }));
  }

  async #outside(verb, receiver, body, now, causationid) {
    const { code } = this.#options;
    const envelope = {
      specversion: '1.0',
      id: uuid7(now),
      source: `//${code}`,
      receiver,
      type: `lianzhi.gateway.${verb}`,
      time: new Date(now).toISOString(),
      datacontenttype: 'application/json',
      ...(causationid && { causationid }),
      data: {},
    };
    const text = await sign(envelope, 'body', body, this.#keys.signing);
    return { id: envelope.id, verb, routingKey: `${code}.normal.gateway.${verb}`, text };
  }

  // 不合约定，或使本程序出错：留存，交人处理，队列继续。Breaks a rule, or makes our own code fail (`poison`): kept for a
  // person to see, the beginning and the digest of all of it; the queue moves on, nothing loops.
  async #setAside(bytes, error, { envelope = {}, kept = {} } = {}) {
    const { code: reason, pointer } = error instanceof Refused ? error : new Refused('poison');
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const beginning = bytes.subarray(0, REFUSED_BYTES).toString('base64');
    await this.#ledger.record({ ...kept, refused: { reason, pointer, sha256, bytes: beginning } });
    say({ event: 'refused', reason, pointer, sha256, fault: reason === 'poison' ? error.name : undefined, ...names(envelope) });
  }

  // 台账里还没有得到确认的答复。Every answer in the ledger that the broker has not confirmed.
  async #send() {
    for (const answer of this.#ledger.unsent()) {
      await this.#link.publish(answer);
      await this.#ledger.sent(answer.id);
    }
  }
}

const names = ({ type, id, subject, seqno }) => ({ type, id, request_no: subject, seqno });

async function main() {
  const options = readOptions();
  const keys = new Keys(options.code, options.files);
  if (options.show !== undefined) {
    process.exitCode = (await show(options.show, options, keys)) ? 0 : 1;
    return;
  }
  const ledger = await Ledger.open(options.ledger);
  const partner = new Partner(options, keys, ledger);
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => partner.stop());
  await partner.run();
  await ledger.close();
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 2;
});
