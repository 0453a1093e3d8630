package partner;

import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** 再发的限额：每件请求每小时若干封。What goes out again because the other side asks: so many an hour of one request. */
final class Again {
    private static final Duration WINDOW = Duration.ofHours(1);

    private record Used(Instant since, int count) {}

    private final Map<String, Used> used = new HashMap<>(); // by request_no

    /** The first of `answers` for which there is room, as they stand in the ledger; they count as sent again. */
    List<Map<String, Object>> within(String requestNo, List<Answer> answers, Instant now) {
        used.values().removeIf(window -> !now.isBefore(window.since().plus(WINDOW)) || now.isBefore(window.since()));
        Used before = used.getOrDefault(requestNo, new Used(now, 0));
        int count = Math.min(answers.size(), Bounds.AGAIN_PER_HOUR - before.count());
        if (count > 0) used.put(requestNo, new Used(before.since(), before.count() + count));
        return answers.subList(0, count).stream().map(Answer::toJson).toList();
    }
}
