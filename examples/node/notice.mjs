// 网关的通知，第 1、2 版：我方哪封报文为何被拒。A notice of the gateway, version 1 or 2: why bytes of ours were refused.
//
// 不认识的成员略过；认识而不合格式的也略过。A member that we do not know is passed over, and so is one that is not of
// its form: a newer gateway may say more. What is kept is codes and numbers, so that a notice writes nothing of its own.
import { cut } from './log.mjs';

export const NOTICE_VERSION = 2; // 每次 ping 都说明 said in every ping: without it the gateway writes version 1

const CODE = /^[a-z0-9-]{1,64}$/;
const FORMS = {
  message_id: /^[0-9a-f-]{36}$/,
  request_no: /^[a-z][a-z0-9-]{1,30}-\d{8}-\d{6,12}$/,
  body_sha256: /^[0-9a-f]{64}$/,
  pointer: /^[\x21-\x7e]{0,200}$/,
};
const NUMBERS = ['next_seqno', 'clock_offset_ms']; // 下一个应发的顺序号；我方时钟快多少毫秒 how far our clock is ahead

export function readNotice(body) {
  const notice = { reason: codeOf(body.reason) };
  if (body.rule !== undefined) notice.rule = codeOf(body.rule);
  for (const [name, form] of Object.entries(FORMS)) {
    if (typeof body[name] === 'string' && form.test(body[name])) notice[name] = body[name];
  }
  for (const name of NUMBERS) if (Number.isSafeInteger(body[name])) notice[name] = body[name];
  return notice;
}

// 怎么改，法院的话，只写进日志。What to mend, in the court's words: for the log alone, cut.
export function detailsOf(body) {
  const said = ['detail_zh', 'detail_en'].filter((name) => typeof body[name] === 'string');
  return Object.fromEntries(said.map((name) => [name, cut(body[name])]));
}

const codeOf = (value) => (typeof value === 'string' && CODE.test(value) ? value : 'unknown');
