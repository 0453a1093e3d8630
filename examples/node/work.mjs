// 业务：收到什么，回什么。接入时只需改写这个文件。The work: what is answered to what. The one file to make your own.
//
// Here everything is invented and answered at once. In a real agency `receipt` waits for a named person and `result`
// for somebody's work, minutes or days later; only `delivered` says by itself that your system has stored the message.
// Leave out here what is not known yet, and put it into answers/ when it is (answers.mjs).
// 自己的办理须按请求编号幂等：记入台账之前断电，重启后同一件会再来。Effects of your own must be idempotent by request_no: this is
// called before the ledger's line is written, and once more for the same message after a power cut in between.
// Field names and codes are those of the dialect agreed at registration (docs/dialects.md).

// Everything to say in reply to a message: [{ verb, head?, body, canonical? }]. head: codes in clear, outside the body.
export function answersTo(verb, conversation, body, { system, now }) {
  const say = own(DIALECTS, conversation.dialect)?.(conversation.type) ?? PLAIN;
  const delivered = { verb: 'delivered', body: say.delivered(now, system) };
  switch (verb) {
    case 'open': {
      const result = own(RESULTS, conversation.type)?.(conversation, body, now);
      return result ? [delivered, { verb: 'receipt', body: say.receipt(now) }, result] : [delivered];
    }
    case 'supplement':
      return [delivered];
    case 'withdraw': {
      // not-started: 还没有开始；reversed: 已撤销；too-late: 已经办完。All of ours is done at once, so it is too late.
      const effect = conversation.started ? 'too-late' : 'not-started';
      return [{ verb: 'withdraw-ack', head: { effect }, body: {} }];
    }
    default: // reopen, urge, confirm, evaluate, …: 由人处理 for a person to read; nothing is said by itself
      return [];
  }
}

// 公安：车辆类的时间写法与其他不同。Police: moments are written otherwise in what is about vehicles.
const police = (written) => ({
  delivered: (now, system) => ({ CCSJ: written(now), CCXT: system }),
  receipt: (now) => ({
    QSSJ: written(now), QSRXM: '赵演示', QSRJH: '061234', QSDW: '云川县公安局（演示）', QSDWJGDM: '610199000000',
  }),
});
const GRID = {
  delivered: (now, system) => ({ storedAt: moment(now), system }),
  receipt: (now) => ({ receivedAt: moment(now), workerName: '孙示例', workerNo: 'yc-0003', gridName: '东街网格（演示）' }),
};
const PLAIN = {
  delivered: (now, system) => ({ stored_at: moment(now), system }),
  receipt: (now) => ({ received_at: moment(now), person: '钱示例', unit: '云川县演示单位' }),
};
const DIALECTS = {
  'police/1': (type) => police(type.startsWith('police.vehicle-') ? spaced : compact),
  'grid/1': () => GRID,
};

const RESULTS = {
  // 下落：规范字段名，加密给发起查询的法院系统自己的密钥，网关也看不到。
  // A place: canonical names, sealed to the asking court system's own key; the gateway itself never sees it.
  'police.person-locate.request': ({ refs }, _body, now) => ({
    verb: 'result',
    canonical: true,
    head: { outcome: 'done', as_of: moment(now), ttl_hours: 72, refs },
    body: {
      items: refs.map((ref) => ({
        ref,
        sightings: [{ seen_at: moment(now), precision: 'street', place: '演示区东街', confidence: 'high' }],
      })),
    },
  }),
  'grid.verify.request': ({ refs }, body, now) => {
    const found = { livesHere: '1', lastSeenMonth: moment(now).slice(0, 7), contactable: '1', premisesState: '9' };
    const asked = Object.fromEntries(body.questions.map((question) => [question, found[question]]));
    return {
      verb: 'result',
      head: { outcome: 'done', as_of: moment(now), refs },
      body: {
        items: refs.map((ref) => ({
          ref, ...asked, workerNo: 'yc-0003', workerName: '孙示例', visitedAt: moment(now),
        })),
      },
    };
  },
};

// 对方写的词只查自己的表。A word of the other side's is looked up among our own entries only, never `constructor`.
const own = (table, name) => (Object.hasOwn(table, name) ? table[name] : undefined);

// 北京时间 Asia/Shanghai: 2026-03-24T10:06:37+08:00 · 20260324100637 · 2026-03-24 10:06:37
const moment = (now) => `${new Date(now + 8 * 3_600_000).toISOString().slice(0, 19)}+08:00`;
const compact = (now) => moment(now).slice(0, 19).replace(/\D/g, '');
const spaced = (now) => moment(now).slice(0, 19).replace('T', ' ');
