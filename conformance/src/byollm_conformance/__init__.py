"""Does a byollm provider plugin keep its promises? `byollm conform NAME` answers, offline and without keys."""
