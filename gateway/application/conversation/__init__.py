"""What every message of a request passes: read or composed, judged by the state machine, carried out in one unit."""
