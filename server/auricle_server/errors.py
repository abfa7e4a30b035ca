"""The errors that only a server can make: requests whose messages are not what the proto says."""

from auricle.errors import AuricleError


class InvalidRequestError(AuricleError):
    """Messages missing, repeated or out of order, or values that the proto does not know."""

    reason = "INVALID_REQUEST"
