"""A guestbook: people leave a line, everybody reads them."""
