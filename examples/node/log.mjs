// 日志：每行一个 JSON，只有编号和代码，从不写姓名、证件号、地点。
// The log: one JSON object a line on standard output; numbers and codes only, never a name, an ID or a place.
export function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
