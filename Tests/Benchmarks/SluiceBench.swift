internal import ArgumentParser
internal import Foundation
internal import MeshLab

/// Measures what the design has budgets for. CONTRIBUTING says how to read the tables.
@main
struct SluiceBench: AsyncParsableCommand {
    enum Part: String, CaseIterable, ExpressibleByArgument {
        case compile, rows, xds, rest, releases
    }

    enum Dialect: String, CaseIterable, ExpressibleByArgument {
        case delta, sotw
        case deltaUncompressed = "delta-uncompressed"
        case sotwUncompressed = "sotw-uncompressed"

        var value: Fleet.Dialect {
            switch self {
            case .delta: Fleet.Dialect()
            case .sotw: Fleet.Dialect(isDelta: false)
            case .deltaUncompressed: Fleet.Dialect(acceptsGzip: false)
            case .sotwUncompressed: Fleet.Dialect(isDelta: false, acceptsGzip: false)
            }
        }
    }

    static let configuration = CommandConfiguration(
        commandName: "sluice-bench", abstract: "Prints tables of what was measured, beside baselines of the same run.",
        subcommands: [Run.self, Floor.self], defaultSubcommand: Run.self)

    struct Run: AsyncParsableCommand {
        @Option(help: "The server to measure, a release build.") var sluice = ".build/release/sluice"
        @Option(help: "Only this part; may be repeated.") var only: [Part] = []
        @Option(help: "How many proxies connect, one table each; may be repeated.")
        var streams: [Int] = [100, 500, 1000, 2000]
        @Option(help: "How they speak, one table each; may be repeated.") var dialect: [Dialect] = [.delta]
        @Flag(help: "Each proxy is the sidecar of an endpoint and has listeners and clusters of its own.")
        var workloads = false

        mutating func run() async throws {
            let options = self
            do {
                try await untilInterrupted { try await options.measure() }
            } catch is CancellationError {
                throw ExitCode(130)
            }
        }

        private func measure() async throws {
            let parts = only.isEmpty ? Part.allCases : only
            if parts.contains(.compile) { Table.show("Compile and encode", try CompileBenchmark().run()) }
            if parts.contains(.rows) { Table.show("Rows of PostgreSQL", try await RowsBenchmark().run()) }
            if parts.contains(.releases) {
                try await MeasuredServer.run(binary: sluice) { server in
                    let title = "\(ReleaseBenchmark.releases) active releases, three replicas"
                    Table.show(title, try await ReleaseBenchmark(server: server).run())
                }
            }
            if parts.contains(.xds) || parts.contains(.rest) {
                try await MeasuredServer.run(binary: sluice) { server in
                    Table.show("The server at rest", [try server.idle()])
                    if parts.contains(.rest) {
                        Table.show("REST, 64 concurrent clients", try await RESTBenchmark(server).run())
                    }
                    if parts.contains(.xds) {
                        try await server.fill()
                        for dialect in dialect.map(\.value) {
                            for count in streams {
                                let proxies = workloads ? "sidecars of workloads" : "proxies"
                                Table.show(
                                    "xDS (\(dialect.description)), \(count) \(proxies)",
                                    try await XDSBenchmark(server, count, dialect, haveWorkloads: workloads).run())
                            }
                        }
                    }
                }
            }
        }
    }
}
