"""What runs before anything breaks: releases, earned trust, health, budgets, readiness."""
