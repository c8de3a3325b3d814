import TestSupport
import Testing

@testable import XDSServer

/// One stream of a real server, with the model of its client.
struct ServerRun {
    static let view = "view"

    let name: String
    private(set) var model: ModelClient
    private var client: XDSClient
    private var isIntroduced = false
    /// Something was refused, and that comes again only when it changes.
    private(set) var lacks = false
    /// What happened, for who looks for the cause of a failure.
    private var log: [String] = []

    init(_ name: String, beside other: XDSClient) async throws {
        self.name = name
        client = try await other.sibling()
        model = ModelClient(other.variant, wantsAllClusters: false)
    }

    mutating func note(_ world: ConformanceWorld, isRenewed: Bool) {
        model.note(world.contents)
        if isRenewed { lacks = false }
        log.append("publish \(world.snapshot.revision): \(world.contents)")
    }

    mutating func change(_ random: inout SeededGenerator) throws {
        let variant = model.variant
        let type = ResourceType.allCases.filter { $0.isServed(in: variant) }.randomElement(using: &random) ?? .cluster
        let pool = (ConformanceWorld.names[type] ?? []) + ["none"]
        let names = Set(pool.filter { _ in random.chance(50) })
        let isWildcard = random.chance(40)
        // In state of the world the words for nothing mean everything, as long as no name was given.
        if names.isEmpty && !isWildcard && !model[type].hadNames { return }
        try send(model.want(type, wildcard: isWildcard, names))
    }

    /// Goes on on another stream of the connection, with what the client has.
    mutating func reconnect() async throws {
        client.cancel()
        client = try await client.sibling()
        isIntroduced = false
        log.append("reconnect")
        model.lose()
        for type in ResourceType.allCases where model[type].isWildcard || !model[type].names.isEmpty {
            try send(model.resume(type))
        }
    }

    /// Reads until the client has what it wants of `world`, or has refused the first thing that it was sent.
    mutating func catchUp(with world: ConformanceWorld, refuses: Bool) async throws {
        while !lacks, model.violations.isEmpty, isBehind(world) {
            let message = try await next(world)
            let type = try #require(message.type)
            let response = Received(type: type, nonce: message.nonce, items: message.items, removed: message.removed)
            model.checkForm(response)
            lacks = refuses && response.items.contains { $0.content != nil }
            log.append("read \(response)\(lacks ? ", refuse" : "")")
            model.read(response, complaint: lacks ? "cannot use this" : nil)
            if let request = model.answer(type) { try send(request) }
        }
    }

    private mutating func next(_ world: ConformanceWorld) async throws -> XDSClient.Message {
        do {
            return try await client.next()
        } catch {
            let missing = ResourceType.allCases.compactMap { model.difference($0, world.contents[$0] ?? [:]) }
            let pending = ResourceType.allCases.map { "\($0) \(model[$0].pending)" }
            Issue.record(
                "\(name) waits in vain: \(missing), \(pending) after\n\(log.suffix(100).joined(separator: "\n"))")
            throw error
        }
    }

    private func isBehind(_ world: ConformanceWorld) -> Bool {
        ResourceType.allCases.contains { type in
            model[type].isAsked
                && (model.difference(type, world.contents[type] ?? [:]) != nil || !model[type].pending.isEmpty)
        }
    }

    private mutating func send(_ request: DiscoveryRequest) throws {
        log.append("request \(request.typeURL) \(request.nonce): \(request.names) \(request.nack ?? "")")
        try client.send(request, node: isIntroduced ? nil : name, view: Self.view)
        isIntroduced = true
    }
}
