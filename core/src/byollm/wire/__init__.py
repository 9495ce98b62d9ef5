"""Values between plugins and the engine: exchanges, framing, auth schemes, assembly, redaction. No I/O."""
