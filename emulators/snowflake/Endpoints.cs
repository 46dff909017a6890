namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// Every endpoint, with the gates that a call passes before the endpoint answers it. A gate acts on endpoints with its mark.
/// </summary>
static class Endpoints
{
    static readonly AuthenticationGate.Mark SignedIn = new();
    static readonly PipeGate.Mark ExistingPipe = new(Create: false);
    static readonly PipeGate.Mark NewOrExistingPipe = new(Create: true);
    static readonly LoadPipeGate.Mark ExistingLoadPipe = new();
    static readonly RateGate.Mark RateLimited = new();
    static readonly BrowserGate.Mark LocalOnly = new();

    /// <summary>Adds gates and endpoints to the server. Also creates what they need, so that an unusable file stops the start.</summary>
    public static void Map(WebApplication app)
    {
        T Get<T>()
            where T : notnull => app.Services.GetRequiredService<T>();

        // In the order in which a call passes them.
        app.Use(CallExtensions.DecodePath);
        app.UseRouting();
        app.Use(Get<FailureGate>().InvokeAsync);
        app.Use(Get<BrowserGate>().InvokeAsync);
        app.Use(Get<FaultGate>().InvokeAsync);
        app.Use(Get<AuthenticationGate>().InvokeAsync);
        app.Use(Get<PipeGate>().InvokeAsync);
        app.Use(Get<LoadPipeGate>().InvokeAsync);
        app.Use(Get<RateGate>().InvokeAsync);

        app.MapGet("/healthz", call => Reply.Text(call, 200, "ok\n"));
        app.MapGet("/readyz", call => Reply.Text(call, 200, "ok\n"));
        MapAccount(app, Get<SignInApi>());
        MapChannels(app, Get<ChannelApi>(), Get<PipeInfoApi>());
        MapRows(app, Get<RowsApi>(), Get<FileBufferApi>());
        MapFiles(app, Get<FilesApi>());
        MapStage(app, Get<StageApi>());
        MapControl(app, Get<EmulatorApi>(), Get<TablesApi>(), Get<LoadsApi>(), Get<QueryApi>(), Get<FaultsApi>());
    }

    /// <summary>Snowflake's endpoints on the account's host.</summary>
    static void MapAccount(IEndpointRouteBuilder app, SignInApi signIn)
    {
        app.MapGet("/v2/streaming/hostname", signIn.Hostname).WithMetadata(new FaultGate.Mark("hostname"), SignedIn);
        app.MapPost("/oauth/token", signIn.Token).WithMetadata(new FaultGate.Mark("token"));
        // Faults do not affect telemetry: clients send it at any time.
        app.MapPost("/telemetry/send/sessionless", SignInApi.Telemetry).WithMetadata(SignedIn);
    }

    /// <summary>Snowpipe Streaming: channels and their status.</summary>
    static void MapChannels(IEndpointRouteBuilder app, ChannelApi channels, PipeInfoApi pipeInfo)
    {
        var pipes = app.MapGroup("/v2/streaming/databases/{database}/schemas/{schema}/pipes").WithMetadata(SignedIn);
        pipes.MapPut("{pipe}/channels/{channel}", channels.Open).WithMetadata(new FaultGate.Mark("open"), NewOrExistingPipe);
        pipes.MapDelete("{pipe}/channels/{channel}", channels.Drop).WithMetadata(new FaultGate.Mark("drop"), ExistingPipe);
        // Not MapPost: routing checks the method before the text after a parameter, so every PUT of …/pipes/NAME would be a 405.
        pipes
            .Map("{pipe}:bulk-channel-status", channels.BulkStatus)
            .WithMetadata(FailureGate.OnlyPost, new FaultGate.Mark("status", ChannelApi.ReadNames), ExistingPipe);
        pipes
            .Map("{pipe}:pipe-info", pipeInfo.Describe)
            .WithMetadata(FailureGate.OnlyPost, new FaultGate.Mark("pipe_info"), NewOrExistingPipe);
    }

    /// <summary>Snowpipe Streaming: appends.</summary>
    static void MapRows(IEndpointRouteBuilder app, RowsApi rows, FileBufferApi files)
    {
        var data = app.MapGroup("/v2/streaming/data/databases/{database}/schemas/{schema}").WithMetadata(SignedIn, RateLimited);
        data.MapPost("pipes/{pipe}/channels/{channel}/rows", rows.Append).WithMetadata(new FaultGate.Mark("append"), ExistingPipe);
        data.MapPost("tables/{table}/rows", rows.Append).WithMetadata(new FaultGate.Mark("append"), NewOrExistingPipe);
        data.MapPost("pipes/{pipe}/channels/{channel}/filebuffer", files.Append)
            .WithMetadata(new FaultGate.Mark("filebuffer"), ExistingPipe);
    }

    /// <summary>Classic Snowpipe: files named by clients, and reports about files.</summary>
    static void MapFiles(IEndpointRouteBuilder app, FilesApi files)
    {
        var pipe = app.MapGroup(FileRefusal.Root + "{pipe}").WithMetadata(SignedIn, ExistingLoadPipe);
        pipe.MapPost("insertFiles", files.Insert).WithMetadata(new FaultGate.Mark("insert_files", FilesApi.PipeOf));
        pipe.MapGet("insertReport", files.Report).WithMetadata(new FaultGate.Mark("insert_report", FilesApi.PipeOf));
        pipe.MapGet("loadHistoryScan", files.History).WithMetadata(new FaultGate.Mark("load_history", FilesApi.PipeOf));
    }

    /// <summary>S3, for rows that come as files. It checks signatures and methods itself, in the words of S3.</summary>
    static void MapStage(IEndpointRouteBuilder app, StageApi stage) =>
        app.Map($"/{Stage.Bucket}/{{**key}}", stage.Handle).WithMetadata(new FaultGate.Mark("upload"));

    /// <summary>Endpoints that Snowflake does not have. They ask for no token.</summary>
    static void MapControl(
        IEndpointRouteBuilder app,
        EmulatorApi emulator,
        TablesApi tables,
        LoadsApi loads,
        QueryApi queries,
        FaultsApi faults
    )
    {
        var control = app.MapGroup("").WithMetadata(LocalOnly);
        control.MapMethods("/", ["GET", "HEAD"], emulator.Overview);
        control.MapGet("/emulator/ca.pem", emulator.Authority);
        control.MapPost("/emulator/reset", emulator.Reset);
        control.MapGet("/emulator/tables", tables.List);
        control.MapGet("/emulator/tables/{table}/rows", tables.Rows);
        control.MapGet("/emulator/tables/{table}/errors", tables.Errors);
        control.MapGet("/emulator/loads", loads.List);
        control.MapGet("/emulator/query", queries.Query);
        control.MapGet("/emulator/faults", faults.List);
        control.MapPost("/emulator/faults", faults.Add);
        control.MapDelete("/emulator/faults", faults.ClearAll);
        control.MapDelete("/emulator/faults/{id}", faults.Clear);
    }
}
