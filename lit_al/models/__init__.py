"""The network: kernels, the BiLSTM, the LightningModule, committees, scoring, checkpoints, prediction."""
