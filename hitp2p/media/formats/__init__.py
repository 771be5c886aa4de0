"""One module a media format: a strict parser that finds the payload, and a writer of pointers that leaves it alone."""
