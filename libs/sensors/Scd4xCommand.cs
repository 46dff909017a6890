namespace ThermalStreaming.Sensors;

/// <summary>The commands of the SCD4x, as its data sheet (v1.7) lists them, and how long they take.</summary>
static class Scd4xCommand
{
    public const ushort StartPeriodic = 0x21B1,
        StartLowPower = 0x21AC,
        StopPeriodic = 0x3F86,
        ReadMeasurement = 0xEC05,
        DataReady = 0xE4B8,
        AmbientPressure = 0xE000,
        SetTemperatureOffset = 0x241D,
        GetTemperatureOffset = 0x2318,
        SetAltitude = 0x2427,
        GetAltitude = 0x2322,
        SetSelfCalibration = 0x2416,
        GetSelfCalibration = 0x2313,
        ForcedRecalibration = 0x362F,
        PersistSettings = 0x3615,
        SelfTest = 0x3639,
        SerialNumber = 0x3682,
        Variant = 0x202F,
        SingleShot = 0x219D,
        WakeUp = 0x36F6;

    /// <summary>Milliseconds.</summary>
    public const int Usual = 1,
        Stopping = 500,
        Persisting = 800,
        Recalibrating = 400,
        Measuring = 5_000,
        Testing = 10_000,
        Waking = 30;
}
