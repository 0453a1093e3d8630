package partner;

import java.util.Map;

/** 一封我方的报文，已签名。One message of ours, signed. requestNo, seqno: null and 0 outside any request. */
record Answer(String id, String requestNo, long seqno, String verb, String routingKey, String text) {
    Map<String, Object> toJson() {
        return Json.object("id", id, "request_no", requestNo, "seqno", seqno, "verb", verb, "routing_key", routingKey, "text", text);
    }

    static Answer fromJson(Map<String, Object> kept) {
        return new Answer((String) kept.get("id"), (String) kept.get("request_no"), (Long) kept.get("seqno"),
                (String) kept.get("verb"), (String) kept.get("routing_key"), (String) kept.get("text"));
    }
}
