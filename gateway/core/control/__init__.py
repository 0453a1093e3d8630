"""Control measures (查封、扣押、冻结……): what an answer makes of them, their life and end, renewals, ranks, sums."""
