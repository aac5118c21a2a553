"""What a person does with what was read: confirm, override, cut, join, scan again, mend, close the batch."""
