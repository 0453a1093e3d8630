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
 * <p>Here everything is invented and answered at once. In a real agency {@code receipt} waits for a named person and {@code
 * result} for somebody's work, minutes or days later; only {@code delivered} says by itself that your system has stored the
 * message. Leave out here what is not known yet, and put it into answers/ when it is (Later).
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
    private static final DateTimeFormatter COMPACT = DateTimeFormatter.ofPattern("uuuuMMddHHmmss").withZone(BEIJING);
    private static final DateTimeFormatter SPACED = DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss").withZone(BEIJING);
    private static final DateTimeFormatter MOMENT = DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ssxxx").withZone(BEIJING);
    private static final DateTimeFormatter MONTH = DateTimeFormatter.ofPattern("uuuu-MM").withZone(BEIJING);

    private Work() {}

    /** Everything to say in reply to a message. body: its business fields. */
    static List<Saying> answersTo(String verb, Conversation conversation, Map<String, Object> body, String system, Instant now) {
        Dialect dialect = Dialect.of(conversation.dialect, conversation.type);
        return switch (verb) {
            case "open" -> {
                List<Saying> sayings = new ArrayList<>(List.of(dialect.delivered(system, now)));
                Saying result = result(conversation, body, now);
                if (result != null) sayings.addAll(List.of(dialect.receipt(now), result));
                yield sayings;
            }
            case "supplement" -> List.of(dialect.delivered(system, now));
            // not-started: 还没有开始；reversed: 已撤销；too-late: 已经办完。All of ours is done at once, so it is too late.
            case "withdraw" -> {
                String effect = conversation.started ? "too-late" : "not-started";
                yield List.of(new Saying("withdraw-ack", Json.object("effect", effect), Map.of(), false));
            }
            // reopen, urge, confirm, evaluate, …: 由人处理 for a person to read; nothing new is said by itself
            default -> List.of();
        };
    }

    /** Null: this type waits for somebody's work. */
    private static Saying result(Conversation conversation, Map<String, Object> body, Instant now) {
        return switch (conversation.type) {
            case "police.person-locate.request" -> located(conversation.refs, now);
            case "grid.verify.request" -> verified(conversation.refs, (List<?>) body.get("questions"), now);
            default -> null;
        };
    }

    /**
     * 下落：规范字段名，加密给发起查询的法院系统自己的密钥，网关也看不到。
     * A place: canonical names, sealed to the asking court system's own key; the gateway itself never sees it.
     */
    private static Saying located(List<String> refs, Instant now) {
        List<Object> items = new ArrayList<>();
        for (String ref : refs) {
            Map<String, Object> sighting = Json.object(
                    "seen_at", MOMENT.format(now), "precision", "street", "place", "演示区东街", "confidence", "high");
            items.add(Json.object("ref", ref, "sightings", List.of(sighting)));
        }
        Map<String, Object> head =
                Json.object("outcome", "done", "as_of", MOMENT.format(now), "ttl_hours", 72L, "refs", refs);
        return new Saying("result", head, Json.object("items", items), true);
    }

    private static Saying verified(List<String> refs, List<?> questions, Instant now) {
        Map<String, Object> found = Json.object(
                "livesHere", "1", "lastSeenMonth", MONTH.format(now), "contactable", "1", "premisesState", "9");
        List<Object> items = new ArrayList<>();
        for (String ref : refs) {
            Map<String, Object> item = Json.object("ref", ref);
            for (Object question : questions) if (found.containsKey(question)) item.put((String) question, found.get(question));
            item.putAll(Json.object("workerNo", "yc-0003", "workerName", "孙示例", "visitedAt", MOMENT.format(now)));
            items.add(item);
        }
        Map<String, Object> head = Json.object("outcome", "done", "as_of", MOMENT.format(now), "refs", refs);
        return new Saying("result", head, Json.object("items", items), false);
    }

    /** 各类单位的字段名。The field names of a kind of partner. */
    private sealed interface Dialect permits Police, Grid, Plain {
        Saying delivered(String system, Instant now);

        Saying receipt(Instant now);

        static Dialect of(String name, String type) {
            return switch (name) {
                // 车辆类的时间写法与其他不同 moments are written otherwise in what is about vehicles
                case "police/1" -> new Police(type.startsWith("police.vehicle-") ? SPACED : COMPACT);
                case "grid/1" -> new Grid();
                default -> new Plain();
            };
        }
    }

    private record Police(DateTimeFormatter form) implements Dialect {
        @Override
        public Saying delivered(String system, Instant now) {
            return new Saying("delivered", Json.object("CCSJ", form.format(now), "CCXT", system));
        }

        @Override
        public Saying receipt(Instant now) {
            return new Saying("receipt", Json.object("QSSJ", form.format(now), "QSRXM", "赵演示", "QSRJH", "061234",
                    "QSDW", "云川县公安局（演示）", "QSDWJGDM", "610199000000"));
        }
    }

    private record Grid() implements Dialect {
        @Override
        public Saying delivered(String system, Instant now) {
            return new Saying("delivered", Json.object("storedAt", MOMENT.format(now), "system", system));
        }

        @Override
        public Saying receipt(Instant now) {
            return new Saying("receipt", Json.object("receivedAt", MOMENT.format(now), "workerName", "孙示例",
                    "workerNo", "yc-0003", "gridName", "东街网格（演示）"));
        }
    }

    private record Plain() implements Dialect {
        @Override
        public Saying delivered(String system, Instant now) {
            return new Saying("delivered", Json.object("stored_at", MOMENT.format(now), "system", system));
        }

        @Override
        public Saying receipt(Instant now) {
            return new Saying("receipt",
                    Json.object("received_at", MOMENT.format(now), "person", "钱示例", "unit", "云川县演示单位"));
        }
    }
}
