"""In the help desk: customers' messages in, private notes with cited drafts out."""
