"""The service grpc.health.v1, which load balancers and container probes ask."""

from grpc import aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from auricle_proto.v1 import speech_pb2

SPEECH = speech_pb2.DESCRIPTOR.services_by_name["Speech"].full_name
HEALTH = health.SERVICE_NAME
OVERALL = ""


class Health:
    """Answers for the server as a whole and for the service `auricle.v1.Speech`."""

    def __init__(self) -> None:
        """Answer NOT_SERVING until `serving` is called."""
        self._servicer = health.aio.HealthServicer()  # type: ignore[attr-defined]  # not in stubs

    def attach(self, server: aio.Server) -> None:
        """Add the service to `server`."""
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)

    async def serving(self) -> None:
        """Answer SERVING from now on."""
        for service in (OVERALL, SPEECH):
            await self._servicer.set(service, health_pb2.HealthCheckResponse.SERVING)

    async def draining(self) -> None:
        """Answer NOT_SERVING for good."""
        await self._servicer.enter_graceful_shutdown()
