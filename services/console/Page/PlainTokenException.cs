namespace ThermalStreaming.Console;

/// <summary>The page's token would leave this machine and the project's network unencrypted, so it was not sent.</summary>
/// <param name="service">Service that the command was for.</param>
/// <param name="address">Its address.</param>
sealed class PlainTokenException(string service, string address)
    : Exception(
        $"The token was not sent to {service} at {address}: it would leave this machine unencrypted. Set GRPC_TLS=true there and "
            + "CONSOLE_TLS=true here, or CONSOLE_PLAIN_TOKEN=true where nobody else can read the traffic."
    );
