"""gRPC: the service `auricle.v1.Speech`, health and reflection."""

from auricle_server.protocols.auricle_grpc.protocol import GrpcProtocol

__all__ = ["GrpcProtocol"]
