// 上限：对方发来多少，都不会超过这里写的。Every bound by name: nothing that the other side sends grows past it.
export const MESSAGE_BYTES = 1 << 20;
export const HELD_PER_REQUEST = 64; // 早到、等前序的报文 messages of one request that came before an earlier one
export const HELD_DISTANCE = 1_000; // 早到多少号以内 how far ahead of its turn
export const REFUSED_BYTES = 64 << 10; // 拒收报文留存的字节数 kept of one that is refused, beside the digest of all of it
export const NOTICES_PER_MINUTE = 10; // 记入日志和台账的通知 notices written down; the rest is counted
export const GREETING_MS = 60_000; // 两次 ping 之间 between two pings after a reconnect
export const TEXT_LENGTH = 300; // 日志中一段他人文字 a text of somebody else's in the log
export const ANSWER_BYTES = 512 << 10; // answers/ 中的一个文件 a file in answers/
export const ANSWERS_LOOKED_MS = 1_000; // 多久看一次 answers/ between two looks into it
export const RENUMBER_AHEAD = 10_000; // 通知最多把我方顺序号推进多少 how far a notice may move our next number
export const EXPECTED = 1_000; // 台账不认识的请求，记住下一号的件数 requests that we do not know whose next number is kept
