"""Who is woken and told, and what people do: handle, ask, approve, control, freeze, review."""
