// 命令行参数与环境变量。Command line, or environment: --sign-key or LIANZHI_SIGN_KEY, and so on.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { sayable } from './contract.mjs';

const REQUIRED = ['code', 'amqp', 'sign-key', 'open-key', 'gateway-keys'];

export function readOptions(env = process.env) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      code: { type: 'string', default: env.LIANZHI_CODE },
      amqp: { type: 'string', default: env.LIANZHI_AMQP },
      'password-file': { type: 'string', default: env.LIANZHI_PASSWORD_FILE },
      ca: { type: 'string', default: env.LIANZHI_CA },
      'sign-key': { type: 'string', default: env.LIANZHI_SIGN_KEY },
      'open-key': { type: 'string', multiple: true, default: env.LIANZHI_OPEN_KEY?.split(',') },
      'gateway-keys': { type: 'string', default: env.LIANZHI_GATEWAY_KEYS },
      ledger: { type: 'string', default: env.LIANZHI_LEDGER ?? 'ledger.jsonl' },
      contract: { type: 'string', default: env.LIANZHI_CONTRACT },
      answers: { type: 'string', default: env.LIANZHI_ANSWERS ?? 'answers' },
      system: { type: 'string', default: env.LIANZHI_SYSTEM },
      prefetch: { type: 'string', default: env.LIANZHI_PREFETCH ?? '20' },
      once: { type: 'string' },
      demo: { type: 'boolean', default: false }, // only as an option: nothing left in an environment may invent
    },
  });
  for (const name of REQUIRED) {
    if (!values[name]?.length) throw new Error(`缺少参数 --${name}。 The option --${name} is missing.`);
  }
  const [command, requestNo, ...more] = positionals;
  if (command !== undefined && (command !== 'show' || requestNo === undefined || more.length)) {
    throw new Error('只有 show <请求编号>。 There is only: show <request number>.');
  }
  return {
    code: values.code,
    show: requestNo,
    url: brokerUrl(values),
    ca: values.ca && [readFileSync(values.ca)],
    files: { sign: values['sign-key'], open: values['open-key'], court: values['gateway-keys'] },
    ledger: values.ledger,
    answers: values.answers,
    sayable: sayable(values.contract),
    system: values.system ?? values.code,
    demo: values.demo,
    prefetch: count('prefetch', values.prefetch),
    once: values.once === undefined ? Infinity : count('once', values.once),
  };
}

// 登录用户就是单位代码，除非地址中另有。The broker user is the participant's code, unless the URL names another.
function brokerUrl({ amqp, code, 'password-file': file }) {
  const url = new URL(amqp);
  url.username ||= code;
  if (file) url.password = encodeURIComponent(readFileSync(file, 'utf8').trim());
  return url.href;
}

function count(name, text) {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${name} 须为正整数。 must be a positive integer.`);
  return number;
}
