"""Serving: a model behind HTTP, swapped while it answers when its files change; it runs on LitServe."""
