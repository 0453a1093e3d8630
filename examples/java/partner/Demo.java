package partner;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** 试验用：编造的签收和结果，只在 --demo 时说。For trials: a receipt and a result that are made up, said with --demo alone. */
final class Demo {
    private Demo() {}

    /** The receipt and the result of an `open`; nothing for a type that is not made up here. */
    static List<Work.Saying> invented(Conversation conversation, Map<String, Object> body, Instant now) {
        Work.Saying result = result(conversation, body, now);
        return result == null ? List.of() : List.of(new Work.Saying("receipt", receipt(conversation, now)), result);
    }

    private static Map<String, Object> receipt(Conversation conversation, Instant now) {
        return switch (conversation.dialect) {
            case "police/1" -> Json.object("QSSJ", Work.policeForm(conversation.type).format(now), "QSRXM", "赵演示",
                    "QSRJH", "061234", "QSDW", "云川县公安局（演示）", "QSDWJGDM", "610199000000");
            case "grid/1" -> Json.object("receivedAt", Work.MOMENT.format(now), "workerName", "孙示例",
                    "workerNo", "yc-0003", "gridName", "东街网格（演示）");
            default -> Json.object("received_at", Work.MOMENT.format(now), "person", "钱示例", "unit", "云川县演示单位");
        };
    }

    /** Null: this type waits for somebody's work. */
    private static Work.Saying result(Conversation conversation, Map<String, Object> body, Instant now) {
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
    private static Work.Saying located(List<String> refs, Instant now) {
        List<Object> items = new ArrayList<>();
        for (String ref : refs) {
            Map<String, Object> sighting = Json.object(
                    "seen_at", Work.MOMENT.format(now), "precision", "street", "place", "演示区东街", "confidence", "high");
            items.add(Json.object("ref", ref, "sightings", List.of(sighting)));
        }
        Map<String, Object> head =
                Json.object("outcome", "done", "as_of", Work.MOMENT.format(now), "ttl_hours", 72L, "refs", refs);
        return new Work.Saying("result", head, Json.object("items", items), true);
    }

    private static Work.Saying verified(List<String> refs, List<?> questions, Instant now) {
        Map<String, Object> found = Json.object(
                "livesHere", "1", "lastSeenMonth", Work.MONTH.format(now), "contactable", "1", "premisesState", "9");
        List<Object> items = new ArrayList<>();
        for (String ref : refs) {
            Map<String, Object> item = Json.object("ref", ref);
            for (Object question : questions) if (found.containsKey(question)) item.put((String) question, found.get(question));
            item.putAll(Json.object("workerNo", "yc-0003", "workerName", "孙示例", "visitedAt", Work.MOMENT.format(now)));
            items.add(item);
        }
        Map<String, Object> head = Json.object("outcome", "done", "as_of", Work.MOMENT.format(now), "refs", refs);
        return new Work.Saying("result", head, Json.object("items", items), false);
    }
}
