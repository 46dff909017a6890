using System.Globalization;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// The outermost gate. It answers if an endpoint throws, a path or method does not exist, or a disk refuses, and it shows a skewed clock in
/// the Date header. Safe for concurrent use.
/// </summary>
sealed partial class FailureGate(Faults faults, ILogger<FailureGate> logger)
{
    /// <summary>Marks an endpoint that accepts only POST although it is mapped for every method.</summary>
    public sealed record Mark;

    public static readonly Mark OnlyPost = new();

    public async Task InvokeAsync(HttpContext call, RequestDelegate next)
    {
        if (faults.ClockIsSkewed)
            call.Response.Headers.Date = faults.ServerTime.ToString("R", CultureInfo.InvariantCulture);
        try
        {
            if (!HttpMethods.IsPost(call.Request.Method) && call.GetEndpoint()?.Metadata.GetMetadata<Mark>() is not null)
            {
                call.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
                call.Response.Headers.Allow = "POST";
            }
            else
            {
                await next(call);
            }
            // Routing leaves these without a body.
            if (call.Response is { HasStarted: false, StatusCode: 404 or 405, ContentLength: null })
                await NoSuchEndpoint(call);
        }
        catch (LoginException e)
        {
            LogLogin(call.Request.Method, call.Request.Path, e.ReasonCode, e.ReasonName, e.Advice);
            await Reply.Json(call, e.Status, e.Answer);
        }
        catch (RefusedException e)
        {
            await Reply.Json(call, e.Status, e.Answer);
        }
        catch (Exception e)
            when (e is BadHttpRequestException
                || (call.RequestAborted.IsCancellationRequested && e is OperationCanceledException or IOException)
            )
        {
            // The client is gone, or sent half a request: nobody waits for an answer.
            call.Abort();
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            // The disk refuses or its files are damaged. The client should retry.
            LogStorage(call.Request.Method, call.Request.Path, e.Message);
            if (call.Response.HasStarted)
                call.Abort();
            else
                await Reply.Text(call, 503, "\"ERR_GENERAL_EXCEPTION_RETRY_REQUEST\"", "application/json");
        }
    }

    static Task NoSuchEndpoint(HttpContext call)
    {
        var (method, path) = (call.Request.Method, call.Request.Path);
        var refusal =
            call.Response.StatusCode == StatusCodes.Status404NotFound
                ? new RefusedException(404, "ERR_NOT_FOUND", $"There is no {method} {path} here. GET / lists the emulator's own endpoints.")
                : new RefusedException(
                    405,
                    "ERR_METHOD_NOT_ALLOWED",
                    $"{method} is not allowed for {path}. Use {call.Response.Headers.Allow}."
                );
        return Reply.Json(call, refusal.Status, refusal.Answer);
    }

    [LoggerMessage(EventId = 720, Level = LogLevel.Warning, Message = "{Method} {Path} refused with 401: {Code} {Name}. {Advice}")]
    partial void LogLogin(string method, string path, string code, string name, string advice);

    [LoggerMessage(EventId = 731, Level = LogLevel.Error, Message = "{Method} {Path} failed: {Problem}")]
    partial void LogStorage(string method, string path, string problem);
}
