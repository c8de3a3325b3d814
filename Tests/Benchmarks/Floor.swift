internal import ArgumentParser
internal import EnvoyProtos
internal import Foundation
internal import MeshLab
internal import NIOCore
internal import NIOPosix

/// The least that serving proxies can cost: a bare server that answers the first request of each type with recorded bytes,
/// pushes others to all when it is told to, and knows nothing else (``FloorServer``).
struct Floor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(shouldDisplay: false)

    @Option var port: Int
    /// A folder with ``Payload``.
    @Option var payload: String

    mutating func run() async throws {
        try await FloorServer(Payload(folder: payload)).run(port: port)
    }

    /// Time until the last of the proxies has it, and processor seconds of the server and of the proxies.
    struct Cost {
        var time: Duration
        var cpu: Double
        var clients: Double
    }

    /// Starts such a process and has `count` proxies connect to it.
    ///
    /// - Parameters:
    ///   - sample: what a proxy is sent when it comes.
    ///   - pushes: messages that follow, each of these several times.
    /// - Returns: what the first sync cost, and the medians of the pushes.
    static func measure(
        _ sample: [String: Fleet.Sample], pushes: [[Fleet.Sample]] = [], _ count: Int, _ dialect: Fleet.Dialect
    ) async throws -> (sync: Cost, pushes: [Cost]) {
        let folder = FileManager.default.temporaryDirectory.appending(path: "sluice-floor-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Payload.write(sample, pushes, to: folder)
        let port = try FreePort.next()
        let process = try ChildProcess(
            name: "floor", executable: Bundle.main.executablePath ?? CommandLine.arguments[0],
            arguments: ["floor", "--port", String(port), "--payload", folder.path], log: "/dev/null")
        defer { process.signal(SIGKILL) }
        try await eventually("the floor listens") {
            let attempt = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connect(
                host: "127.0.0.1", port: port)
            guard let channel = try? await attempt.get() else { return false }
            try await channel.close()
            return true
        }
        let fleet = Fleet(dialect, port: port)
        defer { fleet.close() }
        let sync = try await cost(of: process) {
            let start = ContinuousClock.now
            fleet.connect(count) { _ in ProxyIdentity(node: .init(), token: "none") }
            try await fleet.wait("the floor's proxies are in sync") { $0.synced == count }
            return fleet.current.lastSynced - start
        }
        var medians: [Cost] = []
        for index in pushes.indices {
            var costs: [Cost] = []
            for _ in 0..<PushBenchmark.rounds {
                let cost = try await cost(of: process) {
                    fleet.mark()
                    let start = ContinuousClock.now
                    fleet.ask(for: Payload.push(index))
                    return try await PushBenchmark.arrivals(fleet, count, "a push of the floor", from: start).last
                        ?? .zero
                }
                costs.append(cost)
            }
            medians.append(Cost(medianOf: costs))
        }
        return (sync, medians)
    }

    private static func cost(
        of process: ChildProcess, _ body: () async throws -> Duration
    ) async throws -> Cost {
        let before = try ProcessUsage(pid: process.pid).cpu
        let own = try ProcessUsage.ofThisProcess.cpu
        let time = try await body()
        let cpu = try ProcessUsage(pid: process.pid).cpu - before
        return Cost(time: time, cpu: cpu, clients: try ProcessUsage.ofThisProcess.cpu - own)
    }
}

extension Floor.Cost {
    /// - Parameter costs: at least one.
    init(medianOf costs: [Floor.Cost]) {
        self.init(
            time: Table.median(costs.map(\.time)) ?? .zero, cpu: Table.median(costs.map(\.cpu)) ?? 0,
            clients: Table.median(costs.map(\.clients)) ?? 0)
    }
}

/// What a floor sends, as files: one for each type's first answer and each message of a push.
struct Payload: Sendable {
    struct Message: Sendable {
        var isCompressed: Bool
        var bytes: ByteBuffer
    }

    private(set) var answers: [String: Message] = [:]
    /// The messages of each push, in order.
    private(set) var pushes: [String: [Message]] = [:]

    private static let compressed = ".gz"

    /// How a type's answer is called: its URL's last component.
    static func key(_ typeURL: String) -> String { typeURL.split(separator: ".").last.map(String.init) ?? "" }

    /// The type that a proxy asks for to have something pushed to all.
    static func push(_ index: Int) -> String { "push-\(index)" }

    static func write(_ sample: [String: Fleet.Sample], _ pushes: [[Fleet.Sample]], to folder: URL) throws {
        var files = Dictionary(uniqueKeysWithValues: sample.map { (key($0), $1) })
        for (index, messages) in pushes.enumerated() {
            for (number, message) in messages.enumerated() { files["\(push(index))-\(number)"] = message }
        }
        for (name, message) in files {
            let file = name + (message.isCompressed ? compressed : "")
            try Data(message.bytes).write(to: folder.appending(path: file))
        }
    }

    init(folder: String) throws {
        for file in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
            let bytes = ByteBuffer(bytes: try Data(contentsOf: URL(filePath: "\(folder)/\(file)")))
            let isCompressed = file.hasSuffix(Self.compressed)
            let message = Message(isCompressed: isCompressed, bytes: bytes)
            let parts = file.replacing(Self.compressed, with: "").split(separator: "-").map(String.init)
            if parts.count == 3 {
                pushes["\(parts[0])-\(parts[1])", default: []].append(message)
            } else {
                answers[parts[0]] = message
            }
        }
    }
}
