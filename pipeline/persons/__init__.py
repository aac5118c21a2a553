"""Who may do what: persons, accounts, rights, clearances, circles, approvals, and four eyes."""
