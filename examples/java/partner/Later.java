package partner;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * 事后的答复：answers/&lt;请求编号&gt;.&lt;动作&gt;.json，内容 { head?, body?, canonical? }。What is said later, minutes or days after the
 * request.
 *
 * <p>Write the file elsewhere and {@code mv} it in, so that half a file is never read. It is signed and put into the ledger,
 * then moved to done/, or to refused/ when it does not fit; refused ones are yours to mend and to put in again. The ledger
 * knows {@code mark}, name and digest: a file that is still there after a crash is not said twice, nor is the same one put in
 * again, unless the court has refused what it became for a number used before (`sequence-reused`).
 */
record Later(Path file, String requestNo, String verb, byte[] bytes, String mark) {
    private static final Pattern NAME =
            Pattern.compile("([a-z][a-z0-9-]{1,30}-\\d{8}-\\d{6,12})\\.([a-z][a-z0-9-]{0,40})\\.json");
    private static final Pattern PLAIN = Pattern.compile("[\\w.-]{1,120}");
    private static final Set<String> MEMBERS = Set.of("head", "body", "canonical");

    /** 在等的文件，按名称。Those that wait, by name; none where there is no such folder. */
    static List<Later> waiting(Path folder) {
        List<Later> waiting = new ArrayList<>();
        for (Path file : filesOf(folder)) {
            String name = file.getFileName().toString();
            Matcher parts = NAME.matcher(name);
            if (!parts.matches()) continue;
            try {
                byte[] bytes = Files.readAllBytes(file);
                String mark = name + " " + HexFormat.of().formatHex(Message.sha256(bytes));
                waiting.add(new Later(file, parts.group(1), parts.group(2), bytes, mark));
            } catch (IOException unreadable) {
                throw new UncheckedIOException(unreadable);
            }
        }
        return waiting;
    }

    /** 名称不合的文件。Those whose name is not of the form, as a line of the log may tell it: none that may hold a person's name. */
    static Set<String> misnamed(Path folder) {
        Set<String> misnamed = new LinkedHashSet<>();
        for (Path file : filesOf(folder)) {
            String name = file.getFileName().toString();
            if (!NAME.matcher(name).matches()) misnamed.add(PLAIN.matcher(name).matches() ? name : "?");
        }
        return misnamed;
    }

    private static List<Path> filesOf(Path folder) {
        List<Path> files = new ArrayList<>();
        try (DirectoryStream<Path> found = Files.newDirectoryStream(folder, Files::isRegularFile)) {
            found.forEach(files::add);
        } catch (NoSuchFileException | NotDirectoryException none) {
            return List.of();
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
        Collections.sort(files);
        return files;
    }

    /** Its content. Throws Refused: it is no JSON object, or has members that mean nothing here. */
    Work.Saying read() throws Refused {
        Map<String, Object> content = bytes.length > Bounds.ANSWER_BYTES ? null : Json.asObject(Json.parse(bytes));
        if (content == null || !MEMBERS.containsAll(content.keySet())) throw new Refused("malformed-json");
        Map<String, Object> head = Json.asObject(content.get("head"));
        Map<String, Object> body = Json.asObject(content.getOrDefault("body", Map.of()));
        if (body == null || (head == null && content.containsKey("head"))) throw new Refused("malformed-json");
        return new Work.Saying(verb, head, body, Boolean.TRUE.equals(content.get("canonical")));
    }

    /** Out of the way: into `done` or `refused`. */
    void put(String into) {
        Path folder = file.resolveSibling(into);
        try {
            Files.createDirectories(folder);
            Files.move(file, folder.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException notMoved) {
            throw new UncheckedIOException(notMoved);
        }
    }
}
