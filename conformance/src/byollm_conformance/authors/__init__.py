"""For authors and for those who let their plugins in: begin one, look into one, pin them all."""
