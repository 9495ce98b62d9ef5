"""How much CPU byollm costs, beside a hand-written caller, the official SDK and another library."""
