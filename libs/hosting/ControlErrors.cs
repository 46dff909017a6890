using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;

namespace ThermalStreaming.Hosting;

/// <summary>
/// Errors of control services: a <c>google.rpc.Status</c> whose message says what is wrong and what to do, and whose details say it for
/// programs.
/// </summary>
public static class ControlErrors
{
    const string Domain = "thermal-streaming";

    /// <summary>INVALID_ARGUMENT with a <c>google.rpc.BadRequest</c>.</summary>
    /// <param name="violations">Each names a field of the request, and what it must be. At least one.</param>
    public static RpcException Invalid(params IReadOnlyList<(string Field, string Problem)> violations)
    {
        var details = new BadRequest();
        foreach (var (field, problem) in violations)
            details.FieldViolations.Add(new BadRequest.Types.FieldViolation { Field = field, Description = problem });
        return Of(
            Code.InvalidArgument,
            string.Join(' ', violations.Select(violation => $"{violation.Field}: {violation.Problem}")),
            details
        );
    }

    /// <summary>FAILED_PRECONDITION with a <c>google.rpc.PreconditionFailure</c>.</summary>
    /// <param name="type">The unmet condition, for programs: <c>PAUSED</c>.</param>
    /// <param name="subject">What it is about.</param>
    /// <param name="message">What is wrong, and what to do.</param>
    public static RpcException Precondition(string type, string subject, string message)
    {
        var details = new PreconditionFailure();
        details.Violations.Add(
            new PreconditionFailure.Types.Violation
            {
                Type = type,
                Subject = subject,
                Description = message,
            }
        );
        return Of(Code.FailedPrecondition, message, details);
    }

    /// <summary>NOT_FOUND with a <c>google.rpc.ResourceInfo</c>.</summary>
    /// <param name="type">What kind of thing, for programs: <c>sensor</c>.</param>
    /// <param name="name">Its name, as it was asked for.</param>
    /// <param name="message">What is wrong, and what to do.</param>
    public static RpcException NotFound(string type, string name, string message) =>
        Of(
            Code.NotFound,
            message,
            new ResourceInfo
            {
                ResourceType = type,
                ResourceName = name,
                Description = message,
            }
        );

    /// <summary>Any other code, with a <c>google.rpc.ErrorInfo</c>.</summary>
    /// <param name="code">Of the status.</param>
    /// <param name="reason">For programs, in capitals: <c>TOKEN_WRONG</c>.</param>
    /// <param name="message">What is wrong, and what to do.</param>
    public static RpcException Because(StatusCode code, string reason, string message) =>
        Of((Code)code, message, new ErrorInfo { Reason = reason, Domain = Domain });

    static RpcException Of(Code code, string message, Google.Protobuf.IMessage details) =>
        new Google.Rpc.Status
        {
            Code = (int)code,
            Message = message,
            Details = { Any.Pack(details) },
        }.ToRpcException();
}
