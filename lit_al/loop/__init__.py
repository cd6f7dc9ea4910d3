"""The loop: a data module with a mutable split, the callback that acquires, the learner that fits again."""
