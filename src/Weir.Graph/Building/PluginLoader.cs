using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Runtime.Loader;

namespace Weir.Graph;

/// <summary>
/// Loads plug-ins: assemblies that reference this one and have public classes that implement <see cref="IPlugin"/>. Each assembly lives in
/// a load context of its own: its dependencies come from its folder, whichever versions others use; only Weir's rooms are shared.
/// </summary>
public static class PluginLoader
{
    private static readonly string[] s_shared = ["Weir.Graph", "Weir.Ctf", "Weir.Clock"];

    /// <summary>Loads the plug-ins of a path.</summary>
    /// <param name="path">An assembly; or a directory: assemblies in it or in its directories that are plug-ins, in the order of names.</param>
    /// <exception cref="PluginException">There is no such path, or a plug-in there cannot be used.</exception>
    [RequiresUnreferencedCode("A plug-in may use what trimming has removed.")]
    public static IReadOnlyList<PluginEntry> Load(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        string full = Path.GetFullPath(path);
        if (File.Exists(full))
            return IsPlugin(full, out string? problem) ? LoadAssembly(full) : throw new PluginException($"{path}: this is no plug-in: {problem}");
        if (!Directory.Exists(full))
            throw new PluginException($"{path}: there is no such plug-in: expected an assembly or a directory with assemblies");
        var plugins = new List<PluginEntry>();
        foreach (string directory in Directory.GetDirectories(full).Order(StringComparer.Ordinal).Prepend(full))
        {
            foreach (string assembly in Directory.GetFiles(directory, "*.dll").Order(StringComparer.Ordinal))
            {
                if (IsPlugin(assembly, out _))
                    plugins.AddRange(LoadAssembly(assembly));
            }
        }
        return plugins;
    }

    /// <summary>Whether an assembly could have a plug-in, which is seen without loading it.</summary>
    private static bool IsPlugin(string path, out string? problem)
    {
        problem = "it does not reference Weir.Graph";
        if (s_shared.Contains(Path.GetFileNameWithoutExtension(path)))
            return false;
        try
        {
            using var file = File.OpenRead(path);
            using var reader = new PEReader(file);
            if (!reader.HasMetadata)
                return false;
            var metadata = reader.GetMetadataReader();
            foreach (var handle in metadata.AssemblyReferences)
            {
                if (metadata.GetString(metadata.GetAssemblyReference(handle).Name) == "Weir.Graph")
                    return true;
            }
            return false;
        }
        catch (BadImageFormatException)
        {
            problem = "it is no .NET assembly";
            return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PluginException($"{path}: this plug-in cannot be read: {e.Message}", e);
        }
    }

    [RequiresUnreferencedCode("A plug-in may use what trimming has removed.")]
    private static List<PluginEntry> LoadAssembly(string path)
    {
        try
        {
            var assembly = new PluginContext(path).LoadFromAssemblyPath(path);
            var plugins = new List<PluginEntry>();
            foreach (var type in assembly.GetExportedTypes().OrderBy(type => type.FullName, StringComparer.Ordinal))
            {
                if (typeof(IPlugin).IsAssignableFrom(type) && type is { IsAbstract: false, IsInterface: false })
                    plugins.Add(Create(path, type));
            }
            return plugins;
        }
        catch (Exception e) when (e is not PluginException)
        {
            throw new PluginException($"{path}: this plug-in cannot be loaded: {e.Message}", e);
        }
    }

    [RequiresUnreferencedCode("A plug-in may use what trimming has removed.")]
    private static PluginEntry Create(string path, Type type)
    {
        try
        {
            var plugin = (IPlugin)Activator.CreateInstance(type)!;
            var entry = new PluginEntry(plugin.Name, plugin.Description, path, [.. plugin.Components]);
            foreach (var item in entry.Classes)
            {
                if (item.Plugin != entry.Name)
                    throw new PluginException($"{path}: the plug-in '{entry.Name}' offers {item}: expected its own name in it, not '{item.Plugin}'");
            }
            return entry;
        }
        catch (MissingMethodException e)
        {
            throw new PluginException($"{path}: the plug-in {type.FullName} cannot be created: expected a public constructor without parameters", e);
        }
        catch (Exception e) when (e is not PluginException)
        {
            var cause = e is TargetInvocationException { InnerException: { } inner } ? inner : e;
            throw new PluginException($"{path}: the plug-in {type.FullName} cannot be created: {cause.GetType().Name}: {cause.Message}", cause);
        }
    }

    private sealed class PluginContext(string path) : AssemblyLoadContext(Path.GetFileNameWithoutExtension(path))
    {
        private readonly AssemblyDependencyResolver _resolver = new(path);

        [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "Whoever loads a plug-in has been told.")]
        protected override Assembly? Load(AssemblyName assemblyName)
        {
            // The types of messages have to be the same on both sides. The host's own versions are then asked for.
            if (s_shared.Contains(assemblyName.Name))
                return null;
            return _resolver.ResolveAssemblyToPath(assemblyName) is { } found ? LoadFromAssemblyPath(found) : null;
        }

        protected override nint LoadUnmanagedDll(string unmanagedDllName) =>
            _resolver.ResolveUnmanagedDllToPath(unmanagedDllName) is { } found ? LoadUnmanagedDllFromPath(found) : 0;
    }
}
