package partner;

/** 对方发来的东西不合约定：记录在案，不处理。What the other side sent breaks a rule: set aside, never acted on. */
final class Refused extends Exception {
    private static final long serialVersionUID = 1;

    /** A reason of the gateway's own list (docs/contracts.md 3.1). */
    final String code;

    /** JSON pointer to what is wrong; empty where there is nothing to point to. */
    final String pointer;

    Refused(String code) {
        this(code, "");
    }

    Refused(String code, String pointer) {
        super(pointer.isEmpty() ? code : code + " at " + pointer);
        this.code = code;
        this.pointer = pointer;
    }
}
