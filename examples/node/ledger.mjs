// 台账：一个只追加的文件，每行一个 JSON。The ledger: an append-only file, one JSON object a line.
//
// One line is one decision: the message as it came, what became of it, and every answer of ours, already signed. It is
// on the disk (fdatasync) before the message is acknowledged and before an answer leaves. A process that dies between
// two instructions therefore either never took the message (the broker gives it again) or has it whole (what was not
// yet confirmed is published again, the same bytes). A last line that was cut off by a crash is dropped.
// 日处理量大时请换成数据库。For more than some tens of thousands of messages use a database instead.
import { open } from 'node:fs/promises';
import { EXPECTED } from './bounds.mjs';

export class Ledger {
  #file;
  #messages = new Map(); // "<source> <id>" → { digest, answer }, answer: the id of our first reply to it
  #conversations = new Map(); // request_no → see conversation.mjs
  #answers = new Map(); // id → { id, verb, routingKey, text }
  #unsent = new Set(); // ids
  #taken = new Map(); // "<file> <sha256>" of answers/ → id of the answer that it became
  #expected = new Map(); // request_no that we do not know → our number that the gateway takes next

  static async open(path) {
    const ledger = new Ledger();
    ledger.#file = await open(path, 'a+', 0o600);
    const bytes = await ledger.#file.readFile();
    const whole = bytes.lastIndexOf(0x0a) + 1;
    await ledger.#file.truncate(whole);
    for (const line of bytes.subarray(0, whole).toString('utf8').split('\n')) {
      if (line) ledger.#apply(JSON.parse(line));
    }
    return ledger;
  }

  // { digest, answer } of a message taken before, else undefined.
  known(envelope) {
    return this.#messages.get(`${envelope.source} ${envelope.id}`);
  }

  // A copy, so that what is decided but never written changes nothing.
  conversation(requestNo) {
    return structuredClone(this.#conversations.get(requestNo));
  }

  conversations() {
    return [...this.#conversations.keys()];
  }

  answer(id) {
    return this.#answers.get(id);
  }

  // Whether this file of answers/ has been said.
  hasTaken(mark) {
    return this.#taken.has(mark);
  }

  // The mark of the file of answers/ that this answer was made of, else undefined.
  markOf(id) {
    return [...this.#taken].find(([, answer]) => answer === id)?.[0];
  }

  // Our number that the gateway takes next in a request that we did not know when it said so, else undefined.
  expected(requestNo) {
    return this.#expected.get(requestNo);
  }

  // Answers that the broker has not confirmed, oldest first.
  unsent() {
    return [...this.#unsent].map((id) => this.#answers.get(id));
  }

  // entry: { message?, verdict?, conversation?, out?: [{ id, verb, routingKey, text }], refused?, taken?, forgotten?, expected? }
  async record(entry) {
    await this.#append(entry);
    await this.#file.datasync();
    this.#apply(entry);
  }

  // Not synced: if this line is lost, the same bytes go out once more and the gateway knows them.
  async sent(id) {
    await this.#append({ sent: id });
    this.#apply({ sent: id });
  }

  close() {
    return this.#file.close();
  }

  #append(entry) {
    return this.#file.appendFile(`${JSON.stringify({ at: new Date().toISOString(), ...entry })}\n`);
  }

  #apply({ message, conversation, out = [], sent, taken, forgotten, expected }) {
    if (message) {
      const key = `${message.source} ${message.id}`;
      const before = this.#messages.get(key); // a held message, applied now
      this.#messages.set(key, { digest: message.digest, answer: out[0]?.id ?? before?.answer });
    }
    if (conversation) this.#conversations.set(conversation.request_no, conversation);
    for (const answer of out) {
      this.#answers.set(answer.id, answer);
      this.#unsent.add(answer.id);
    }
    this.#unsent.delete(sent);
    if (taken) this.#taken.set(taken, out[0].id);
    this.#taken.delete(forgotten);
    if (expected) {
      this.#expected.set(expected.request_no, expected.next_seqno);
      if (this.#expected.size > EXPECTED) this.#expected.delete(this.#expected.keys().next().value);
    }
  }
}
