"""The model as training calls it: both heads at once, and perhaps the middle layer's."""

from torch import Tensor, nn

from auricle.model import SpeechTransformer
from auricle.training.config import TrainingConfig
from auricle.training.distributed import World


class Network(nn.Module):
    """A SpeechTransformer whose middle encoder layer speaks, too, where `intermediate`."""

    def __init__(self, model: SpeechTransformer, *, intermediate: bool) -> None:
        super().__init__()
        self.model = model
        self.intermediate = intermediate

    def forward(self, x: Tensor, x_lens: Tensor, tokens: Tensor) -> tuple[Tensor, ...]:
        """Decoder logits, CTC logits of the last and perhaps of the middle layer, lengths."""
        model = self.model
        if not self.intermediate:
            logits, ctc_logits, encoder_out_lens = model(x, x_lens, tokens)
            return logits, ctc_logits, encoder_out_lens
        encoder_out, middle, encoder_out_lens = model.encoder.with_middle(x, x_lens)
        logits = model.decoder(tokens, encoder_out, encoder_out_lens)
        return logits, model.ctc(encoder_out), model.ctc(middle), encoder_out_lens


def network_of(model: SpeechTransformer, config: TrainingConfig, world: World) -> nn.Module:
    """`model` as a step calls it: compiled where the recipe says so, and one of many."""
    network = Network(model, intermediate=config.loss.intermediate_ctc_weight > 0)
    if config.compile:
        network.compile(dynamic=True)
    return world.wrap(network)
