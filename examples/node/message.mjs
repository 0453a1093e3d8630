// 报文：<JWS>~<披露>~，即 SD-JWT（RFC 9901）包着一个 CloudEvents 1.0 信封。
// The signed form: <JWS>~<disclosure>~, an SD-JWT (RFC 9901) around a CloudEvents 1.0 envelope.
//
// The envelope is signed in clear. The payload stands in the disclosure, whose digest is signed: `data._sd`.
// The disclosure is base64url of [salt, "body", {…}] or, sealed, [salt, "sealed", "<compact JWE>"].
// Bytes are kept and compared as they came; nothing is ever serialised a second time.
import { createHash, randomBytes } from 'node:crypto';
import { CompactEncrypt, CompactSign, compactDecrypt, compactVerify, decodeProtectedHeader } from 'jose';
import { MESSAGE_BYTES } from './bounds.mjs';
import { Refused } from './refused.mjs';

const HEADER = ['alg', 'kid', 'typ', 'cty'];
const TYP = 'lianzhi+sd-jwt';
const CTY = 'cloudevents+json';
const SEAL = { alg: 'ECDH-ES+A256KW', enc: 'A256GCM' };
const AHEAD = 5 * 60_000; // 报文时间最多超前 5 分钟 a message may be 5 min ahead of our clock
const BEHIND = 30 * 86_400_000; // 最多落后 30 天 and 30 days behind

const REQUIRED = ['specversion', 'id', 'source', 'receiver', 'type', 'time', 'datacontenttype', 'data'];
const IN_REQUEST = ['subject', 'dataschema', 'seqno'];
const OPTIONAL = ['expires', 'causationid', 'originhash', 'caseno', 'related', 'groupno'];
const TECHNICAL = ['submissionhash', 'replykey', 'traceparent'];
const OUTSIDE = /^lianzhi\.gateway\.(notice|ping|pong)$/;
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
const UUID7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const REQUEST_NO = /^[a-z][a-z0-9-]{1,30}-\d{8}-\d{6,12}$/;
const DIGEST = /^[A-Za-z0-9_-]{43}$/;
const FORMS = {
  specversion: /^1\.0$/,
  id: UUID7,
  source: /^\/\/[a-z][a-z0-9-]{1,30}$/,
  receiver: /^[a-z][a-z0-9-]{1,30}$/,
  type: /^lianzhi(\.[a-z][a-z0-9-]{0,40}){2,6}$/,
  time: TIME,
  datacontenttype: /^application\/json$/,
  subject: REQUEST_NO,
  dataschema: /^urn:lianzhi:[^:\s]+:[^:\s]+:[^:\s]+:\d{1,6}$/,
  expires: TIME,
  causationid: UUID7,
  originhash: DIGEST,
  caseno: /^.{0,60}$/su,
  related: REQUEST_NO,
  groupno: REQUEST_NO,
  submissionhash: DIGEST,
  replykey: /^[a-z][a-z0-9-]{1,30}\.enc\.[a-z0-9][a-z0-9-]{0,30}$/,
  traceparent: /^[0-9a-f-]{55}$/,
};
const HEAD = ['outcome', 'as_of', 'ttl_hours', 'refs', 'reason_code', 'effect', 'level', 'reply_by', 'supersedes', 'at'];
const REF = /^[a-z0-9]{8}$/;
const REFS = 1_000;

// 摘要 base64url(SHA-256(ASCII)): of a JWS part for `originhash`, of a disclosure for `_sd`.
export const digestOf = (text) => createHash('sha256').update(text, 'ascii').digest('base64url');

// 逐条核对一封报文。Everything that makes a message believed, in order; throws Refused with the first that fails.
// Gives { envelope, digest, kind, content }; digest is that of the JWS part.
export async function verify(bytes, { code, keys, now }) {
  // 1 形式 form: ASCII, two tildes, three segments
  if (bytes.length > MESSAGE_BYTES) throw new Refused('too-large');
  const text = bytes.toString('latin1');
  const parts = text.split('~');
  if (/[^\x21-\x7e]/.test(text) || parts[0].split('.').length !== 3) throw new Refused('not-an-sd-jwt');
  const [jws, disclosure, rest] = parts;
  if (parts.length !== 3 || !disclosure || rest) throw new Refused('bad-disclosure');

  // 2 签名头恰为四个成员 the protected header has exactly four members
  const header = parseJson(fromBase64url(jws.split('.')[0], 'not-an-sd-jwt'), 'bad-header');
  if (!isObject(header) || !sameNames(header, HEADER)) throw new Refused('bad-header');
  if (header.typ !== TYP) throw new Refused('bad-typ', '/typ');
  if (header.cty !== CTY) throw new Refused('bad-header', '/cty');

  // 3 验签 the signature, by a key of the participant that `source` names
  const event = parseJson(fromBase64url(jws.split('.')[1], 'not-an-sd-jwt'), 'malformed-json');
  if (!isObject(event) || typeof event.source !== 'string') throw new Refused('bad-envelope', '/source');
  const time = typeof event.time === 'string' && TIME.test(event.time) ? Date.parse(event.time) : NaN;
  if (Number.isNaN(time)) throw new Refused('bad-envelope', '/time');
  const key = keys.verifying(event.source.replace(/^\/\//, ''), String(header.kid), header.alg, time, now);
  await compactVerify(jws, key, { algorithms: [header.alg] }).catch(() => {
    throw new Refused('bad-signature');
  });

  // 4 时间 the message's own time
  if (time - now > AHEAD) throw new Refused('clock-ahead', '/time');
  if (now - time > BEHIND) throw new Refused('stale', '/time');

  // 5 披露的摘要就是签过名的那个 the disclosure is the one that was signed
  const sd = event.data?._sd;
  if (!Array.isArray(sd) || sd.length !== 1 || sd[0] !== digestOf(disclosure)) throw new Refused('bad-disclosure');
  const [kind, content] = disclosed(disclosure);

  // 6 信封 the envelope, and whether it is addressed to us
  checkEnvelope(event);
  if (event.receiver !== code) throw new Refused('wrong-receiver', '/receiver');
  return { envelope: event, digest: digestOf(jws), kind, content };
}

// 打开密封的内容 → 业务字段。The body; sealed content is opened with our key, and both ids inside must be the envelope's.
export async function open(message, keys) {
  if (message.kind === 'body') return message.content;
  const { envelope, content } = message;
  let opened;
  try {
    const key = keys.opening(decodeProtectedHeader(content).kid);
    opened = await compactDecrypt(content, key, {
      keyManagementAlgorithms: [SEAL.alg],
      contentEncryptionAlgorithms: [SEAL.enc],
    });
  } catch {
    throw new Refused('cannot-open');
  }
  const inside = parseJson(opened.plaintext, 'seal-mismatch');
  if (inside?.request_no !== envelope.subject) throw new Refused('seal-mismatch', '/request_no');
  if (inside.message_id !== envelope.id) throw new Refused('seal-mismatch', '/message_id');
  if (!isObject(inside.body)) throw new Refused('seal-mismatch', '/body');
  return inside.body;
}

// 加密给 key。A compact JWE to that key; both ids go inside, so that it cannot be lifted into another message.
export function seal(body, envelope, kid, key) {
  const plaintext = JSON.stringify({ request_no: envelope.subject, message_id: envelope.id, body });
  return new CompactEncrypt(Buffer.from(plaintext)).setProtectedHeader({ ...SEAL, kid, cty: 'json' }).encrypt(key);
}

// 签名。Puts the content into a disclosure and its digest into `data._sd`, and signs.
export async function sign(envelope, kind, content, { kid, alg, private: key }) {
  const salt = randomBytes(16).toString('base64url');
  const disclosure = Buffer.from(JSON.stringify([salt, kind, content])).toString('base64url');
  const event = { ...envelope, data: { ...envelope.data, _sd: [digestOf(disclosure)] } };
  const jws = await new CompactSign(Buffer.from(JSON.stringify(event)))
    .setProtectedHeader({ alg, kid, typ: TYP, cty: CTY })
    .sign(key);
  return `${jws}~${disclosure}~`;
}

// UUIDv7（RFC 9562）: 48 bits of milliseconds, then version, variant and random bits.
export function uuid7(now) {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(now, 0, 6);
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function disclosed(text) {
  const value = parseJson(fromBase64url(text, 'bad-disclosure'), 'bad-disclosure');
  if (!Array.isArray(value) || value.length !== 3) throw new Refused('bad-disclosure');
  const [salt, kind, content] = value;
  if (typeof salt !== 'string' || salt.length < 22) throw new Refused('bad-disclosure', '/0');
  const fits = (kind === 'body' && isObject(content)) || (kind === 'sealed' && typeof content === 'string');
  if (!fits) throw new Refused('bad-disclosure', '/1');
  return [kind, content];
}

function checkEnvelope(event) {
  const outside = OUTSIDE.test(event.type);
  const required = outside ? REQUIRED : [...REQUIRED, ...IN_REQUEST];
  const allowed = outside ? [...REQUIRED, 'causationid'] : [...required, ...OPTIONAL, ...TECHNICAL];
  for (const name of required) if (!(name in event)) throw new Refused('bad-envelope', `/${name}`);
  if (Object.keys(event).some((name) => !allowed.includes(name))) throw new Refused('bad-envelope'); // 不引用对方的词 not in its words
  for (const [name, form] of Object.entries(FORMS)) {
    const value = event[name];
    if (value !== undefined && !(typeof value === 'string' && form.test(value))) {
      throw new Refused('bad-envelope', `/${name}`);
    }
  }
  checkData(event.data);
  if (outside) return;
  if (!(Number.isSafeInteger(event.seqno) && event.seqno > 0)) throw new Refused('bad-envelope', '/seqno');
  const [, , , matter, verb] = event.dataschema.split(':');
  if (event.type !== `lianzhi.${matter}.${verb}`) throw new Refused('bad-envelope', '/dataschema');
}

// 信封里的明文代码：只有这些成员。The codes in clear: these members and no other.
function checkData(data) {
  const { _sd, head = {}, ...other } = data;
  if (Object.keys(other).length || !isObject(head)) throw new Refused('bad-envelope', '/data');
  for (const name of Object.keys(head)) if (!HEAD.includes(name)) throw new Refused('bad-envelope', '/data/head');
  const refs = head.refs ?? [];
  const fits = Array.isArray(refs) && refs.length <= REFS && refs.every((ref) => typeof ref === 'string' && REF.test(ref));
  if (!fits) throw new Refused('bad-envelope', '/data/head/refs');
}

// base64url 只有一种写法。Only the one spelling that we would write ourselves: else two texts would mean one message.
function fromBase64url(text, code) {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.toString('base64url') !== text) throw new Refused(code);
  return bytes;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function parseJson(bytes, code) {
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch {
    throw new Refused(code);
  }
}

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const sameNames = (object, names) =>
  Object.keys(object).length === names.length && names.every((name) => typeof object[name] === 'string');
