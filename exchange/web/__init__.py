"""Pages for people: the help, served at /help because the networks this runs in are closed."""
