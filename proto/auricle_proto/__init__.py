"""The wire interface: `v1/speech.proto` and the stubs generated from it by `make proto`."""
