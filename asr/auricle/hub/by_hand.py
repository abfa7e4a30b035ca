"""Instructions to copy a model by hand, for a machine that cannot reach the Hub."""

from huggingface_hub import constants
from tqdm import tqdm

from auricle.hub.cache import snapshot_folder
from auricle.hub.known_models import KnownFile, KnownModel
from auricle.hub.reference import HubReference


def instructions(reference: HubReference) -> str:
    """Name the files that make up a model, where they come from and where they go."""
    if reference.known is not None:
        return _exact(reference.known)
    return (
        "copy config.json, the weights (model.safetensors or model.bin), the vocabulary "
        "(tokenizer.json) and, where they are there, generation_config.json and "
        f"preprocessor_config.json of {constants.ENDPOINT}/{reference.repository} into a folder, "
        "and give its path as the model"
    )


def _exact(model: KnownModel) -> str:
    page = f"{constants.ENDPOINT}/{model.repository}/tree/{model.revision}"
    lines = [f"copy these files of {page}", *(_line(file) for file in model.files)]
    places = f"into a folder, and give its path as the model; or into\n  {snapshot_folder(model)}"
    return "\n".join([*lines, f"{places}\nwhere `auricle models pull {model.name}` checks them"])


def _line(file: KnownFile) -> str:
    size = f"  {tqdm.format_sizeof(file.size, 'B')}" if file.size is not None else ""
    return f"  {file.name}{size}"
