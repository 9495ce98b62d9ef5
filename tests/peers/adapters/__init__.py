"""One adapter a library: it asks as that library's own documentation does, and tells what came, unmended."""
