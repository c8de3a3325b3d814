internal import Foundation
internal import MeshLab

/// `make run`: the main job on real parts, told as it happens.
@main
struct Demo {
    static func main() async {
        do {
            let arguments = try Arguments(CommandLine.arguments)
            try await untilInterrupted { try await ReleaseDemo(arguments: arguments).run() }
        } catch is CancellationError {
            print("\nStopped; everything that was started is gone.")
        } catch {
            FileHandle.standardError.write(Data("sluice-demo: \(error)\n".utf8))
            exit(1)
        }
    }
}

/// `--sluice PATH --envoy PATH [--once]`
struct Arguments: Sendable {
    var sluice = ""
    var envoy = ""
    /// End after the release instead of keeping the mesh running until Ctrl-C.
    var once = false

    init(_ arguments: [String]) throws {
        var rest = arguments.dropFirst()
        while let option = rest.popFirst() {
            switch option {
            case "--sluice": sluice = rest.popFirst() ?? ""
            case "--envoy": envoy = rest.popFirst() ?? ""
            case "--once": once = true
            default: throw LabError("unknown option \(option); known: --sluice PATH --envoy PATH --once")
            }
        }
        for path in [sluice, envoy] where !FileManager.default.isExecutableFile(atPath: path) {
            throw LabError("not an executable file: \"\(path)\"; give --sluice PATH and --envoy PATH")
        }
    }
}
