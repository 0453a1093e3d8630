"""How each kind of partner says what `schemas` describes. Depends on `schemas` alone; knows no store and no broker."""
