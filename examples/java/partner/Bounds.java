package partner;

import java.time.Duration;

/** 上限：对方发来多少，都不会超过这里写的。Every bound by name: nothing that the other side sends grows past it. */
final class Bounds {
    static final int MESSAGE_BYTES = 1 << 20;
    static final int JSON_DEPTH = 32;
    static final int HELD_PER_REQUEST = 64; // 早到、等前序的报文 messages of one request that came before an earlier one
    static final int HELD_DISTANCE = 1_000; // 早到多少号以内 how far ahead of its turn
    static final int REFUSED_BYTES = 64 << 10; // 拒收报文留存的字节数 kept of one that is refused, beside the digest of all of it
    static final int NOTICES_PER_MINUTE = 10; // 记入日志和台账的通知，也是我方发出的通知 notices written down, and notices that we send
    static final int AGAIN_PER_HOUR = 64; // 每件请求每小时再发一次的报文 messages of one request that go out again, in an hour
    static final int RENUMBER_AHEAD = 10_000; // 通知最多把我方顺序号推进多少 how far a notice may move our next number
    static final int EXPECTED = 1_000; // 台账不认识的请求，记住下一号的件数 requests that we do not know whose next number is kept
    static final int ANSWER_BYTES = 512 << 10; // answers/ 中的一个文件 a file in answers/
    static final int TEXT_LENGTH = 300; // 日志中一段他人文字 a text of somebody else's in the log
    static final Duration GREETING = Duration.ofMinutes(1); // 两次 ping 之间 between two pings after a reconnect
    static final Duration ASKED_AFTER = Duration.ofMinutes(10); // 缺号多久后才问 until a number that is missing in between is asked for
    static final Duration LOOKED = Duration.ofSeconds(1); // 多久查看一次有无缺号 between two looks for what is missing
    static final Duration ASKED_AGAIN = Duration.ofHours(1); // 同一请求两次询问之间 between two askings for one request

    private Bounds() {}
}
