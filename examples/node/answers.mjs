// 事后的答复：answers/<请求编号>.<动作>.json，内容 { head?, body?, canonical? }。What is said later, minutes or days after the request.
//
// Write the file elsewhere and `mv` it in, so that half a file is never read. It is signed and put into the ledger, then
// moved to done/, or to refused/ when it does not fit; refused ones are yours to mend and to put in again. The ledger
// knows name and digest: a file that is still there after a crash is not said twice, nor is the same one put in again,
// unless the court has refused what it became for a number used before (`sequence-reused`).
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { ANSWER_BYTES } from './bounds.mjs';
import { Refused } from './refused.mjs';

const NAME = /^([a-z][a-z0-9-]{1,30}-\d{8}-\d{6,12})\.([a-z][a-z0-9-]{0,40})\.json$/;
const PLAIN = /^[\w.-]{1,120}$/;
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

// 在等的文件，按名称。Those that wait, by name: [{ file, requestNo, verb, bytes, mark }]; none where there is no such folder.
export async function waiting(folder) {
  const found = [];
  for (const file of await filesOf(folder)) {
    const name = NAME.exec(file);
    if (!name) continue;
    const bytes = await readFile(join(folder, file));
    const mark = `${file} ${createHash('sha256').update(bytes).digest('hex')}`;
    found.push({ file, requestNo: name[1], verb: name[2], bytes, mark });
  }
  return found;
}

// 名称不合的文件。Those whose name is not of the form, as a line of the log may tell it: none that may hold a person's name.
export async function misnamed(folder) {
  const found = (await filesOf(folder)).filter((file) => !NAME.test(file));
  return found.map((file) => (PLAIN.test(file) ? file : '?'));
}

async function filesOf(folder) {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name).sort();
}

// Its content. Throws Refused: it is no JSON object, or has members that mean nothing here.
export function read({ verb, bytes }) {
  let content;
  try {
    content = bytes.length <= ANSWER_BYTES ? JSON.parse(bytes.toString('utf8')) : undefined;
  } catch {
    content = undefined;
  }
  if (!isObject(content)) throw new Refused('malformed-json');
  const { head, body = {}, canonical = false, ...other } = content;
  if (Object.keys(other).length || !isObject(body) || !(head === undefined || isObject(head))) {
    throw new Refused('malformed-json', '/head');
  }
  return { verb, head, body, canonical: canonical === true };
}

export async function put(folder, file, into) {
  await mkdir(join(folder, into), { recursive: true, mode: 0o700 });
  await rename(join(folder, file), join(folder, into, file));
}
