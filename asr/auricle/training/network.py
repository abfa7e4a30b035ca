"""The model as training calls it: both heads at once, and perhaps the middle layer's."""

from torch import Tensor, nn

from auricle.model import SpeechTransformer
from auricle.training.config import TrainingConfig
from auricle.training.distributed import World


class Network(nn.Module):
    """A SpeechTransformer whose middle encoder layer gives CTC logits, too, if `intermediate`."""

    def __init__(self, model: SpeechTransformer, *, intermediate: bool) -> None:
        super().__init__()
        self.model = model
        self.intermediate = intermediate

    def forward(self, x: Tensor, x_lens: Tensor, tokens: Tensor) -> tuple[Tensor, ...]:
        """Return decoder logits, the CTC logits of each layer that has some, and lengths."""
        model = self.model
        if self.intermediate:
            encoder_out, middle, encoder_out_lens = model.encoder.with_middle(x, x_lens)
            encoded = [encoder_out, middle]
        else:
            encoder_out, encoder_out_lens = model.encoder(x, x_lens)
            encoded = [encoder_out] if model.config.transformer.ctc else []
        logits = model.decoder(tokens, encoder_out, encoder_out_lens)
        return logits, *(model.ctc(each) for each in encoded), encoder_out_lens


def network_of(model: SpeechTransformer, config: TrainingConfig, world: World) -> nn.Module:
    """`model` as a step calls it: compiled where the recipe says so, and one of many."""
    intermediate = model.config.transformer.ctc and config.loss.intermediate_ctc_weight > 0
    network = Network(model, intermediate=intermediate)
    if config.compile:
        network.compile(dynamic=True)
    return world.wrap(network)
