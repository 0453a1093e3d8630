// 时间的写法，查表。How moments are written, and how a table is asked.

// 对方写的词只查自己的表。A word of the other side's is looked up among our own entries only, never `constructor`.
export const own = (table, name) => (Object.hasOwn(table, name) ? table[name] : undefined);

// 北京时间 Asia/Shanghai: 2026-03-24T10:06:37+08:00 · 20260324100637 · 2026-03-24 10:06:37
export const moment = (now) => `${new Date(now + 8 * 3_600_000).toISOString().slice(0, 19)}+08:00`;
export const compact = (now) => moment(now).slice(0, 19).replace(/\D/g, '');
export const spaced = (now) => moment(now).slice(0, 19).replace('T', ' ');
