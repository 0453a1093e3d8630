package partner;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * 看要求了什么：打开存下的报文，写到终端，一封一行。What was asked: the stored messages of one request, opened, one a line, for their
 * owner's terminal. The ledger is only read, so the partner may be running. It is the one place that writes personal data out.
 */
final class Show {
    private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

    private Show() {}

    /** Whether there is any. Throws Refused: a stored message cannot be opened any more, its key is gone. */
    static boolean show(String requestNo, String code, Path ledger, Keys keys) throws IOException, Refused {
        Set<String> shown = new HashSet<>();
        String text = Files.readString(ledger);
        for (String line : text.substring(0, text.lastIndexOf('\n') + 1).split("\n")) {
            Map<String, Object> entry = line.isEmpty() ? Map.of() : Json.asObject(Json.parse(line));
            Map<String, Object> stored = Json.asObject(entry.get("message"));
            if (stored == null || shown.contains(stored.get("id"))) continue;
            byte[] bytes = ((String) stored.get("text")).getBytes(StandardCharsets.US_ASCII);
            Message message = Message.verify(bytes, code, keys, Instant.parse((String) entry.get("at")));
            Envelope envelope = message.envelope();
            if (!requestNo.equals(envelope.subject())) continue;
            shown.add(envelope.id());
            Map<String, Object> head = Json.asObject(Json.asObject(envelope.members().get("data")).get("head"));
            OUT.println(Log.visible(Json.write(Json.object("verb", envelope.verb(), "type", envelope.text("type"),
                    "seqno", envelope.seqno(), "time", envelope.text("time"), "head", head == null ? Map.of() : head,
                    "body", message.open(keys)))));
        }
        return !shown.isEmpty();
    }
}
