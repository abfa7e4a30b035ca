"""From `encoder_out` to tokens. Knows nothing of queues and batches' making."""
