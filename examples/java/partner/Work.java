package partner;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * 业务：收到什么，回什么。接入时只需改写这个文件。The work: what is answered to what. The one file to make your own.
 *
 * <p>By itself only {@code delivered} is said, which is true of what has been stored, and {@code not-started} to a withdrawal
 * of what never began. {@code receipt} waits for a named person and {@code result} for somebody's work, minutes or days later:
 * say here what your system knows at once, and put the rest into answers/ when it is known (Later).
 *
 * <p>用 --demo 时签收和结果都是编的，只供试验。With --demo a receipt and a result are made up (Demo): for trials, never in use.
 *
 * <p>自己的办理须按请求编号幂等：记入台账之前断电，重启后同一件会再来。Effects of your own must be idempotent by requestNo: this is
 * called before the ledger's line is written, and once more for the same message after a power cut in between.
 *
 * <p>Field names and codes are those of the dialect agreed at registration (docs/dialects.md).
 */
final class Work {
    /** 一封回文的内容。What to say. head: codes in clear, outside the body, or null. canonical: in canonical field names. */
    record Saying(String verb, Map<String, Object> head, Map<String, Object> body, boolean canonical) {
        Saying(String verb, Map<String, Object> body) {
            this(verb, null, body, false);
        }
    }

    private static final ZoneOffset BEIJING = ZoneOffset.ofHours(8);
    static final DateTimeFormatter COMPACT = DateTimeFormatter.ofPattern("uuuuMMddHHmmss").withZone(BEIJING);
    static final DateTimeFormatter SPACED = DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss").withZone(BEIJING);
    static final DateTimeFormatter MOMENT = DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ssxxx").withZone(BEIJING);
    static final DateTimeFormatter MONTH = DateTimeFormatter.ofPattern("uuuu-MM").withZone(BEIJING);

    private Work() {}

    /** Everything to say in reply to a message. body: its business fields. demo: make receipts and results up. */
    static List<Saying> answersTo(
            String verb, Conversation conversation, Map<String, Object> body, String system, boolean demo, Instant now) {
        Saying delivered = new Saying("delivered", storedBy(system, conversation, now));
        return switch (verb) {
            case "open" -> {
                List<Saying> sayings = new ArrayList<>(List.of(delivered));
                if (demo) sayings.addAll(Demo.invented(conversation, body, now));
                yield sayings;
            }
            case "supplement" -> List.of(delivered);
            // not-started: 还没有开始。开始了的由人答：reversed 已撤销，too-late 已经办完。What has begun is for a person to say, through
            // answers/: `reversed` or `too-late`; in a trial all is done at once, so it is too late.
            case "withdraw" -> {
                if (conversation.started && !demo) yield List.of();
                String effect = conversation.started ? "too-late" : "not-started";
                yield List.of(new Saying("withdraw-ack", Json.object("effect", effect), Map.of(), false));
            }
            // reopen, urge, confirm, evaluate, …: 由人处理 for a person to read; nothing new is said by itself
            default -> List.of();
        };
    }

    private static Map<String, Object> storedBy(String system, Conversation conversation, Instant now) {
        return switch (conversation.dialect) {
            case "police/1" -> Json.object("CCSJ", policeForm(conversation.type).format(now), "CCXT", system);
            case "grid/1" -> Json.object("storedAt", MOMENT.format(now), "system", system);
            default -> Json.object("stored_at", MOMENT.format(now), "system", system);
        };
    }

    /** 公安：车辆类的时间写法与其他不同。Police: moments are written otherwise in what is about vehicles. */
    static DateTimeFormatter policeForm(String type) {
        return type.startsWith("police.vehicle-") ? SPACED : COMPACT;
    }
}
