"""What is counted: ledgers, periods, and the indicators of the weekly and monthly report."""
