"""Make zoo's models available in other libraries; nothing is registered until a user calls a function here."""
