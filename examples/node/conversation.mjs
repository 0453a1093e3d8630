// 一件请求的往来：顺序、引用、编号。One request's conversation: order, origin, numbering. Pure, no I/O.
//
// A conversation is plain data, kept in the ledger:
//   request_no, peer, type, version, dialect   from the first message
//   case_no?, reply_key?, refs, lane            what replies have to repeat, seal to, name, and how they travel
//   next, slots                                 the peer's next seqno; which of its seqnos are taken, by which id
//   held                                        messages that came early: seqno → { text, at }
//   withdrawn                                   seqno of its last `withdraw`, 0 if there is none
//   started                                     whether the `open` was acted on
//   ours                                        our last seqno
//   origins                                     verb → [id, digest] of what our replies name
import { HELD_DISTANCE, HELD_PER_REQUEST } from './bounds.mjs';
import { Refused } from './refused.mjs';

// lianzhi.<matter type>.<verb>
export const verbOf = (envelope) => envelope.type.slice(envelope.type.lastIndexOf('.') + 1);
const matterOf = (envelope) => envelope.type.slice('lianzhi.'.length, envelope.type.lastIndexOf('.'));

// The conversation as it stands before `envelope`. lane: second word of the routing key, `urgent` or `normal`.
export function find(existing, envelope, lane) {
  const peer = envelope.source.slice(2);
  const opens = verbOf(envelope) === 'open';
  if (envelope.subject.replace(/-\d{8}-\d{6,}$/, '') !== peer) throw new Refused('unknown-request', '/subject');
  if (opens !== (envelope.seqno === 1)) throw new Refused('bad-envelope', '/seqno');
  if (existing && (existing.peer !== peer || existing.type !== matterOf(envelope))) {
    throw new Refused('misdirected', existing.peer === peer ? '/type' : '/source');
  }
  const [, , dialect, , , version] = envelope.dataschema.split(':');
  return existing ?? {
    request_no: envelope.subject, peer, type: matterOf(envelope), version, dialect, case_no: envelope.caseno, refs: [],
    lane, next: 1, slots: {}, held: {}, withdrawn: 0, started: false, ours: 0, origins: {},
  };
}

// 按顺序号处理；只有撤回可以超前。What becomes of a message: `apply` now, `hold` until its turn, or `overtaken` by a
// withdrawal: kept, never acted on. Takes its number. Throws Refused `sequence-reused`, or `sequence-gap` when it is too
// early, or too many are early: it may come again.
export function place(conversation, envelope) {
  const { seqno, id } = envelope;
  if (conversation.slots[seqno]) throw new Refused('sequence-reused', '/seqno'); // by another id
  const withdraws = verbOf(envelope) === 'withdraw';
  const early = seqno > conversation.next && seqno > conversation.withdrawn;
  const full = seqno - conversation.next > HELD_DISTANCE || Object.keys(conversation.held).length >= HELD_PER_REQUEST;
  if (!withdraws && early && full) throw new Refused('sequence-gap', '/seqno');
  conversation.slots[seqno] = id;
  if (withdraws) {
    conversation.withdrawn = Math.max(conversation.withdrawn, seqno);
    for (const held of Object.keys(conversation.held)) if (held < seqno) delete conversation.held[held];
    conversation.next = Math.max(conversation.next, seqno + 1);
    return 'apply';
  }
  if (seqno < conversation.withdrawn) return 'overtaken';
  if (seqno > conversation.next) return 'hold';
  conversation.next = seqno + 1;
  return 'apply';
}

// What replies will name (causationid, originhash), and what they need from the `open`.
export function remember(conversation, envelope, digest) {
  const verb = verbOf(envelope);
  if (['open', 'supplement', 'withdraw'].includes(verb)) conversation.origins[verb] = [envelope.id, digest];
  if (verb !== 'open') return;
  conversation.started = true;
  conversation.reply_key = envelope.replykey;
  conversation.refs = envelope.data.head?.refs ?? [];
}

// Whether there is what this verb has to name: the request was acted on, or, for `withdraw-ack`, withdrawn.
export const canSay = (conversation, verb) =>
  Boolean(verb === 'withdraw-ack' ? conversation?.origins.withdraw : conversation?.origins.open);

// The envelope of our next message. A verb that answers a verb names that one; any other names the `open` or the
// last `supplement`. canonical: the result of a `location` type is not in our dialect. Uses up our next seqno.
export function reply(conversation, { verb, head, canonical }, { code, id, now }) {
  const { origins, type, version } = conversation;
  const [causationid, originhash] = verb === 'withdraw-ack' ? origins.withdraw : (origins.supplement ?? origins.open);
  conversation.ours += 1;
  return {
    specversion: '1.0',
    id,
    source: `//${code}`,
    receiver: conversation.peer,
    type: `lianzhi.${type}.${verb}`,
    subject: conversation.request_no,
    time: new Date(now).toISOString(), // 毫秒，Z milliseconds, Z
    dataschema: `urn:lianzhi:${canonical ? 'canonical' : conversation.dialect}:${type}:${verb}:${version}`,
    datacontenttype: 'application/json',
    seqno: conversation.ours,
    causationid,
    originhash,
    ...(conversation.case_no && { caseno: conversation.case_no }), // 只有来文带了案号才带 only if the request had it
    data: head ? { head } : {},
  };
}

// Withdrawals and their answers travel in the urgent lane, whatever lane the request came in.
export const routingKey = (conversation, verb, code) =>
  `${code}.${verb === 'withdraw-ack' ? 'urgent' : conversation.lane}.${conversation.type}.${verb}`;
