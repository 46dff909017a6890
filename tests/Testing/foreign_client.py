"""A client of another maker: grpcio of Debian, without code generated from our files. What it knows of the services it asks by reflection.

foreign_client.py ADDRESS /package.Service/Method JSON [token=T] [deadline=SECONDS] [take=N] [ca=FILE]

Prints each answer as a line of JSON, then a line with the status code, the message and the types of the details, separated by tabs.
take=N cancels the call after N answers. ca=FILE uses TLS, with that authority.
"""

import json
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def fields(data):
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 2:
            length, at = varint(data, at)
            yield key >> 3, data[at : at + length]
            at += length
        elif key & 7 == 0:
            value, at = varint(data, at)
            yield key >> 3, value
        else:
            raise ValueError(f"wire type {key & 7}")


def described(channel, symbol):
    """The files that describe a symbol, by ServerReflectionInfo: request field 4, response field 4, file field 1."""
    ask = channel.stream_stream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
    name = symbol.encode()
    files = []
    for answer in ask(iter([b"\x22" + bytes([len(name)]) + name]), timeout=30):
        for number, value in fields(answer):
            if number == 4:
                files += [file for inner, file in fields(value) if inner == 1]
    return files


def pool_of(files):
    pool, waiting = descriptor_pool.DescriptorPool(), [descriptor_pb2.FileDescriptorProto.FromString(file) for file in files]
    known = set()
    while waiting:
        ready = [file for file in waiting if all(name in known for name in file.dependency)]
        assert ready, "reflection left a dependency out"
        for file in ready:
            pool.Add(file)
            known.add(file.name)
        waiting = [file for file in waiting if file.name not in known]
    return pool


def main(address, method, request, *options):
    options = dict(option.split("=", 1) for option in options)
    if "ca" in options:
        with open(options["ca"], "rb") as file:
            channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(file.read()))
    else:
        channel = grpc.insecure_channel(address)
    service, name = method.strip("/").split("/")
    call = pool_of(described(channel, service)).FindServiceByName(service).FindMethodByName(name)
    factory = message_factory.MessageFactory(call.input_type.file.pool)
    kind, answer_kind = factory.GetPrototype(call.input_type), factory.GetPrototype(call.output_type)
    message = json_format.Parse(request, kind())
    metadata = [("authorization", "Bearer " + options["token"])] if "token" in options else []
    arguments = dict(timeout=float(options.get("deadline", "30")), metadata=metadata)
    read = dict(request_serializer=kind.SerializeToString, response_deserializer=answer_kind.FromString)
    file = descriptor_pb2.FileDescriptorProto()
    call.containing_service.file.CopyToProto(file)
    streams = next(m.server_streaming for s in file.service for m in s.method if s.name == call.containing_service.name and m.name == name)
    try:
        if streams:
            answers = channel.unary_stream(method, **read)(message, **arguments)
            left = int(options.get("take", "0"))
            for answer in answers:
                show(answer)
                left -= 1
                if left == 0:
                    answers.cancel()
                    break
        else:
            show(channel.unary_unary(method, **read)(message, **arguments))
        print("OK\t\t")
    except grpc.RpcError as error:
        details = dict(error.trailing_metadata() or []).get("grpc-status-details-bin", b"")
        # google.rpc.Status: field 3 is a detail, an Any, whose field 1 is its type.
        anys = [value for number, value in fields(details) if number == 3]
        types = [value.decode().rsplit(".", 1)[-1] for any in anys for number, value in fields(any) if number == 1]
        print(f"{error.code().name}\t{error.details()}\t{','.join(types)}")


def show(answer):
    print(json.dumps(json_format.MessageToDict(answer, preserving_proto_field_name=True)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
