"""What services and health checks count themselves: breaches that are told within seconds."""
