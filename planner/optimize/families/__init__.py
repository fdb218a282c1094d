"""The exact model, one constraint family a file; each function returns named rows."""
