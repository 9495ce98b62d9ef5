"""Who may answer, and in which order: pure functions of request, state and clock."""
