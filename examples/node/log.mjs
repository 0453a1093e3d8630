// 日志：每行一个 JSON，只有编号和代码，从不写姓名、证件号、地点。
// The log: one JSON object a line on standard output; numbers and codes only, never a name, an ID or a place.
//
// 控制字符一律写成 \u…：换行会伪造一行日志，ESC 会操纵终端，U+202E 会倒转文字。
// What a terminal would obey is written as \u…: JSON does so for C0 alone, not for C1 and the marks that turn text.
import { TEXT_LENGTH } from './bounds.mjs';

const OBEYED = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

export function say(line) {
  process.stdout.write(`${JSON.stringify(line).replace(OBEYED, escaped)}\n`);
}

// 他人的文字，截短。A text that somebody else chose, cut.
export const cut = (text) => String(text).slice(0, TEXT_LENGTH);

const escaped = (character) =>
  character.split('').map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
