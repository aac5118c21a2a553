"""The station itself: made, opened, guarded, backed up; its policy, clock and ledger."""
