"""What the page may ask for: one function a request, from the request to an answer."""
