"""The command `auricle health` is a probe for containers."""

import click

from auricle_cli.connection import Connection, connection_options
from auricle_cli.failure import Failure


@click.command()
@connection_options
@click.option("--timeout", type=click.FloatRange(min=0), default=5.0, help="Seconds to wait.")
def health(connection: Connection, timeout: float) -> None:
    """Check that a server is serving; the exit status is 0 only when it answers SERVING."""
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    from auricle_client.client import opened

    server = connection.server
    with opened(server, connection.credentials()) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=timeout)
        except grpc.RpcError as error:
            raise Failure(f"{server} does not answer: {error.details()}") from error
    status = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
    if answer.status != health_pb2.HealthCheckResponse.SERVING:
        raise Failure(f"{server} is {status}")
    click.echo(status)
