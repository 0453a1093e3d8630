package partner;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * 本单位能说的动作：照法院交来的 contract.json，没有就照下表。What we may say: by the contract.json that the court hands over, otherwise by
 * the list below (docs/contracts.md). A word that nobody knows is then not signed, nor does it use up a number.
 */
record Contract(Map<String, Set<String>> said) {
    private static final Set<String> KNOWN = Set.of(
            "delivered", "receipt", "accept", "supplement-request", "refuse", "return",
            "objection", "progress", "result", "correct", "withdraw-ack", "acknowledge",
            "send-team", "identity-check", "handover", "false-hit", "read");

    /** path: null where there is no contract. Throws Misuse: it cannot be read. */
    static Contract read(Path path) {
        if (path == null) return new Contract(Map.of());
        Map<String, Set<String>> said = new HashMap<>();
        try {
            Map<String, Object> contract = Json.asObject(Json.asObject(Json.parse(Files.readAllBytes(path))).get("contract"));
            for (Object each : (List<?>) contract.get("types")) {
                Map<String, Object> type = Json.asObject(each);
                Set<String> ours = new HashSet<>();
                Json.asObject(type.get("verbs")).forEach((verb, told) -> {
                    if ("asked".equals(Json.asObject(told).get("by"))) ours.add(verb);
                });
                said.put((String) Json.asObject(type.get("card")).get("name"), ours);
            }
        } catch (IOException | Refused | RuntimeException unreadable) {
            throw new Misuse(path + "：读不到契约。 The contract cannot be read.");
        }
        return new Contract(said);
    }

    /** Whether we may say this in a request of this type. */
    boolean allows(String type, String verb) {
        return said.getOrDefault(type, KNOWN).contains(verb);
    }
}
