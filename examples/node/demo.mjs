// 试验用：编造的签收和结果，只在 --demo 时说。For trials: a receipt and a result that are made up, said with --demo alone.
import { compact, moment, own, spaced } from './words.mjs';

// The receipt and the result of an `open`; nothing for a type that is not made up here.
export function invented(conversation, body, now) {
  const result = own(RESULTS, conversation.type)?.(conversation, body, now);
  const receipt = own(RECEIPTS, conversation.dialect) ?? plain;
  return result ? [{ verb: 'receipt', body: receipt(now, conversation.type) }, result] : [];
}

const RECEIPTS = {
  'police/1': (now, type) => ({
    QSSJ: (type.startsWith('police.vehicle-') ? spaced : compact)(now),
    QSRXM: '赵演示', QSRJH: '061234', QSDW: '云川县公安局（演示）', QSDWJGDM: '610199000000',
  }),
  'grid/1': (now) => ({ receivedAt: moment(now), workerName: '孙示例', workerNo: 'yc-0003', gridName: '东街网格（演示）' }),
};
const plain = (now) => ({ received_at: moment(now), person: '钱示例', unit: '云川县演示单位' });

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
