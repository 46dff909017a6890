using Grpc.Core;

namespace ThermalStreaming.Console.Tests;

/// <summary>The token that the fakes ask for.</summary>
static class FakeToken
{
    public const string Value = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";

    public static void Demand(ServerCallContext context)
    {
        if (context.RequestHeaders.GetValue("authorization") != $"Bearer {Value}")
            throw new RpcException(new Status(StatusCode.Unauthenticated, "the token is wrong"));
    }
}
