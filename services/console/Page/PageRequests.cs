namespace ThermalStreaming.Console;

/// <summary>Answers every request to the page's port, each with the headers that isolate the page.</summary>
sealed class PageRequests(
    HostGate gate,
    WebFiles files,
    EventStream events,
    ControlApi control,
    LetterApi letters,
    DeviceBook devices,
    TimeProvider clock
)
{
    const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
        + "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

    public async Task AnswerAsync(HttpContext context)
    {
        var (request, headers) = (context.Request, context.Response.Headers);
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(), usb=()";
        if (!gate.Knows(request))
        {
            await Reply.TextAsync(
                context,
                421,
                "The console does not answer under this name. Use localhost or the machine's name, or add the name to CONSOLE_HOSTS."
            );
            return;
        }
        var path = request.Path.Value ?? "/";
        if (HttpMethods.IsPost(request.Method))
        {
            if (!HostGate.IsOwn(request))
                await Reply.SaidAsync(context, 403, "This request comes from another site.");
            else if (path.StartsWith("/api/", StringComparison.Ordinal))
                await control.AnswerAsync(context, path["/api/".Length..]);
            else
                await Reply.TextAsync(context, 404, "There is nothing here.");
            return;
        }
        if (!HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method))
        {
            headers.Allow = "GET, HEAD, POST";
            await Reply.TextAsync(context, 405, "Only GET, HEAD and POST are answered.");
        }
        else if (path is "/events" or "/api/history" or "/api/letters" && !HostGate.IsOwn(request))
            await Reply.TextAsync(context, 403, "This request comes from another site.");
        else if (path == "/events" && HttpMethods.IsGet(request.Method))
            await events.ServeAsync(context);
        else if (path == "/api/history")
            await Reply.JsonAsync(context, 200, json => HistoryWriter.Write(json, devices, request.Query["device"].ToString(), clock));
        else if (path == "/api/letters")
            await letters.AnswerAsync(context, request.Query["service"].ToString());
        else if (!await files.ServeAsync(context, path))
            await Reply.TextAsync(context, 404, "There is nothing here. The page is at /.");
    }
}
