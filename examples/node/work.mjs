// 业务：收到什么，回什么。接入时只需改写这个文件。The work: what is answered to what. The one file to make your own.
//
// By itself only `delivered` is said, which is true of what has been stored, and `not-started` to a withdrawal of what
// never began. `receipt` waits for a named person and `result` for somebody's work, minutes or days later: say here what your
// system knows at once, and put the rest into answers/ when it is known (answers.mjs).
// 用 --demo 时签收和结果都是编的，只供试验。With --demo a receipt and a result are made up (demo.mjs): for trials, never in use.
// 自己的办理须按请求编号幂等：记入台账之前断电，重启后同一件会再来。Effects of your own must be idempotent by request_no: this is
// called before the ledger's line is written, and once more for the same message after a power cut in between.
// Field names and codes are those of the dialect agreed at registration (docs/dialects.md).
import { invented } from './demo.mjs';
import { compact, moment, own, spaced } from './words.mjs';

// Everything to say in reply to a message: [{ verb, head?, body, canonical? }]. head: codes in clear, outside the body.
export function answersTo(verb, conversation, body, { system, now, demo }) {
  const delivered = { verb: 'delivered', body: storedBy(system, conversation, now) };
  switch (verb) {
    case 'open':
      return demo ? [delivered, ...invented(conversation, body, now)] : [delivered];
    case 'supplement':
      return [delivered];
    case 'withdraw': {
      // not-started: 还没有开始。开始了的由人答：reversed 已撤销，too-late 已经办完。What has begun is for a person to say, through
      // answers/: `reversed` or `too-late`; in a trial all is done at once, so it is too late.
      if (conversation.started && !demo) return [];
      const effect = conversation.started ? 'too-late' : 'not-started';
      return [{ verb: 'withdraw-ack', head: { effect }, body: {} }];
    }
    default: // reopen, urge, confirm, evaluate, …: 由人处理 for a person to read; nothing is said by itself
      return [];
  }
}

// 公安：车辆类的时间写法与其他不同。Police: moments are written otherwise in what is about vehicles.
const DELIVERED = {
  'police/1': (now, system, type) => ({
    CCSJ: (type.startsWith('police.vehicle-') ? spaced : compact)(now),
    CCXT: system,
  }),
  'grid/1': (now, system) => ({ storedAt: moment(now), system }),
};
const plain = (now, system) => ({ stored_at: moment(now), system });

function storedBy(system, { dialect, type }, now) {
  return (own(DELIVERED, dialect) ?? plain)(now, system, type);
}
