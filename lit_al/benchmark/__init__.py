"""Methods compared over paired seeds and growing budgets, and what the comparison proves."""
