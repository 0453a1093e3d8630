package partner;

/** 参数或密钥有误：说明后退出。Wrong options or keys: said to whoever started us, exit code 2. */
final class Misuse extends RuntimeException {
    private static final long serialVersionUID = 1;

    Misuse(String message) {
        super(message);
    }
}
