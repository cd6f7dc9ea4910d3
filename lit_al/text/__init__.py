"""From text to numbers: encoder, tokenizer, bucketing by length, tf-idf, latent directions, word vectors."""
