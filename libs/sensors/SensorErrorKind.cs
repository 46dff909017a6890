namespace ThermalStreaming.Sensors;

/// <summary>Why a sensor or its bus did not deliver.</summary>
public enum SensorErrorKind
{
    /// <summary>No device acknowledged: absent, without power, busy, or in a mode that refuses the command (errno 6 and 121).</summary>
    NotAcknowledged,

    /// <summary>The transfer ended with another error of this device only (errno 5, 11, …; 110 while others answer).</summary>
    Transfer,

    /// <summary>
    /// The bus itself does not work: stuck (errno 110), failing, missing, or not permitted. This affects every sensor on it.
    /// </summary>
    Bus,

    /// <summary>A checksum was wrong: the bytes changed on the way.</summary>
    Checksum,

    /// <summary>Another device answered at the address.</summary>
    WrongDevice,

    /// <summary>The sensor answered, but has no new value although it should have.</summary>
    NoData,

    /// <summary>The bytes were right but the value is impossible.</summary>
    Implausible,

    /// <summary>The sensor refused a request, for example a forced recalibration.</summary>
    Refused,
}
