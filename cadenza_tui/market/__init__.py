"""The market as it stands: books, tape, accounts and how far each can be trusted. Pure: no clock, no I/O."""
