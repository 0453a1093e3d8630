"""The command `lianzhi`: the partner's and the court system's commands; other distributions join theirs."""
