"""What the server sends, as the records of ``market``. Pure; the only place that knows the wire's names."""
