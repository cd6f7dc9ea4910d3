"""How a round trains: by epochs or by steps, on labels alone or distilled from a teacher."""
