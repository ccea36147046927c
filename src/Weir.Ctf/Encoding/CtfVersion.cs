namespace Weir.Ctf;

/// <summary>The versions of CTF that are written.</summary>
public enum CtfVersion
{
    /// <summary>CTF 1.8, with TSDL as its metadata.</summary>
    Ctf18,

    /// <summary>CTF 2, with JSON as its metadata.</summary>
    Ctf2,
}
