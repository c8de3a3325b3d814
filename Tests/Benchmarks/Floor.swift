internal import ArgumentParser
internal import EnvoyProtos
internal import Foundation
internal import GRPCServer
internal import HTTP2
internal import Logging
internal import MeshLab
internal import NIOCore
internal import NIOPosix

/// The least that a first sync can cost over our transport: a process that answers the first request of each type with
/// recorded bytes and knows nothing else.
struct Floor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(shouldDisplay: false)

    @Option var port: Int
    /// A folder with a file for each type, named by its URL's last component.
    @Option var payload: String

    mutating func run() async throws {
        var answers: [String: OutboundMessage] = [:]
        for file in try FileManager.default.contentsOfDirectory(atPath: payload) {
            let bytes = ByteBuffer(bytes: try Data(contentsOf: URL(filePath: "\(payload)/\(file)")))
            if file.hasSuffix(CannedService.compressed) {
                answers[String(file.dropLast(CannedService.compressed.count))] = OutboundMessage(compressed: bytes)
            } else {
                answers[file] = OutboundMessage(bytes)
            }
        }
        let server = GRPCServer(
            configuration: .init(listeners: [.init(.host("127.0.0.1", port: port))]),
            service: CannedService(answers: answers), eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
            logger: Logger(label: "floor"))
        try await server.run()
    }

    /// Starts such a process and has `count` proxies connect to it.
    static func measure(
        _ sample: [String: Fleet.Sample], _ count: Int, _ dialect: Fleet.Dialect
    ) async throws -> (time: Duration, cpu: Double, clients: Double) {
        let folder = FileManager.default.temporaryDirectory.appending(path: "sluice-floor-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (type, message) in sample {
            let file = CannedService.key(type) + (message.isCompressed ? CannedService.compressed : "")
            try Data(message.bytes).write(to: folder.appending(path: file))
        }
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
        let before = try ProcessUsage(pid: process.pid)
        let own = try ProcessUsage.ofThisProcess
        let start = ContinuousClock.now
        fleet.connect(count) { _ in ProxyIdentity(node: .init(), token: "none") }
        try await fleet.wait("the floor's proxies are in sync") { $0.synced == count }
        let time = fleet.current.lastSynced - start
        let cpu = try ProcessUsage(pid: process.pid).cpu - before.cpu
        let clients = try ProcessUsage.ofThisProcess.cpu - own.cpu
        fleet.close()
        return (time, max(cpu, 0.001), clients)
    }
}

private struct CannedService: GRPCService {
    static let compressed = ".gz"
    let answers: [String: OutboundMessage]

    static func key(_ typeURL: String) -> String { typeURL.split(separator: ".").last.map(String.init) ?? "" }

    func open(_ call: GRPCCall) -> (any GRPCCallHandler)? { CannedHandler(call, answers) }
}

private final class CannedHandler: GRPCCallHandler {
    private let call: GRPCCall
    private var answers: [String: OutboundMessage]

    init(_ call: GRPCCall, _ answers: [String: OutboundMessage]) {
        self.call = call
        self.answers = answers
    }

    func received(_ message: ByteBuffer) {
        var wire = Wire(message)
        while let (field, value) = wire.next() {
            // The type's URL is one or the other, depending on the variant.
            guard field == 2 || field == 4, value.readableBytes < 256 else { continue }
            guard let answer = answers.removeValue(forKey: CannedService.key(String(buffer: value))) else { continue }
            return call.send(answer)
        }
    }

    func inputClosed() { call.finish(.ok) }
    func writable() {}
    func closed(_ reason: GRPCCloseReason) {}
}
