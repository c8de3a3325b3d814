import TestSupport

@testable import XDSServer

/// A model client and a machine, with a wire between them on which responses may lie for a while.
struct MachineRun {
    let variant: Variant
    /// Whether the client does what Envoy does: all clusters, listeners and scopes, and the rest by name. Others mix.
    let isLikeEnvoy: Bool
    let refusals: Int
    let takesTTL: Bool
    private(set) var client: ModelClient
    private var machine: StreamMachine
    private var world: ConformanceWorld
    private var wire: [Received] = []
    private var random: SeededGenerator
    /// What happened, for who looks for the cause of a failure.
    private(set) var log: [String] = []

    init(_ variant: Variant, seed: UInt64) {
        random = SeededGenerator(seed: seed)
        self.variant = variant
        isLikeEnvoy = random.chance(60)
        refusals = random.chance(50) ? 10 : 0
        takesTTL = random.chance(50)
        client = ModelClient(variant, wantsAllClusters: isLikeEnvoy)
        machine = StreamMachine(variant)
        machine.takesTTL = takesTTL
        world = ConformanceWorld(for: variant)
        // Some clients come before there is a snapshot.
        if random.chance(80) { publish { $0.next(&$1) } }
        connect()
    }

    /// - Returns: whether all went well so far.
    mutating func step() -> Bool {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<15: publish { $0.next(&$1) }
        case 15..<17: reconnect(elsewhere: random.chance(50))
        case 17..<32: change()
        case 32..<34: repeatRequest()
        case 34: beat()
        case 35..<55: answer(ResourceType.allCases.randomElement(using: &random) ?? .cluster)
        case 55..<78: read(mayRefuse: true)
        default: send(Int.random(in: 1...5, using: &random))
        }
        return client.violations.isEmpty
    }

    /// Lets the machine and the client come to rest, and compares.
    mutating func rest() {
        if refusals > 0 {
            settle()
            publish { $0.renew(&$1) }
        }
        settle()
        guard client.violations.isEmpty else { return }
        client.checkRest(world.contents)
        checkRevision()
        publish { $0.repeatItself(&$1) }
        if let answer = machine.next() { client.complain("equal contents are sent again: \(Received(answer))") }
        checkRevision()
        guard takesTTL else { return }
        beat()
        settle()
        client.checkBeat(world.contents)
        checkRevision()
    }

    /// Time passes; a client that does not know of it is told nothing.
    private mutating func beat() {
        machine.beat()
        if takesTTL { client.beat() }
        log.append("beat")
    }

    private mutating func checkRevision() {
        if machine.ackedRevision != world.snapshot.revision {
            client.complain("revision \(machine.ackedRevision) of \(world.snapshot.revision) is acknowledged")
        }
        if let rejection = machine.nack { client.complain("a refusal is left: \(rejection)") }
    }

    private mutating func settle() {
        // Bounded: a server that never rests must fail the test, not hang it.
        for _ in 0..<300 where client.violations.isEmpty {
            send(1)
            read(mayRefuse: false)
            for type in ResourceType.allCases { answer(type) }
            if wire.isEmpty, !send(1) { return }
        }
        if client.violations.isEmpty { client.complain("the server does not come to rest") }
    }

    // MARK: The server's side

    private mutating func publish(_ change: (inout ConformanceWorld, inout SeededGenerator) -> Void) {
        change(&world, &random)
        client.note(world.contents)
        machine.update(world.snapshot)
        log.append("publish \(world.snapshot.revision): \(world.contents)")
    }

    /// - Returns: whether anything was sent.
    @discardableResult
    private mutating func send(_ count: Int) -> Bool {
        for index in 0..<count {
            guard let answer = machine.next() else { return index > 0 }
            let response = Received(answer)
            client.sent(response)
            wire.append(response)
            log.append("sent \(response)")
        }
        return true
    }

    // MARK: The client's side

    private mutating func receive(_ request: DiscoveryRequest) {
        let type = ResourceType(typeURL: request.typeURL).map { "\($0)" } ?? request.typeURL
        log.append("request \(type) \(request.nonce): \(request.names) \(request.nack ?? "")")
        do { try machine.receive(request) } catch { client.complain("refused: \(error.detail)") }
    }

    private mutating func connect() {
        let types = ResourceType.allCases.filter { $0.isServed(in: variant) }
        for type in types.shuffled(using: &random) where isLikeEnvoy && type.isFullState {
            receive(client.want(type, wildcard: true, []))
        }
    }

    /// Loses the stream, and opens another one at this server or one that has the same.
    private mutating func reconnect(elsewhere: Bool) {
        log.append("reconnect \(elsewhere ? "elsewhere" : "")")
        machine = StreamMachine(variant)
        machine.takesTTL = takesTTL
        wire = []
        client.lose()
        if world.snapshot.revision > 0 { machine.update(elsewhere ? world.elsewhere : world.snapshot) }
        for type in ResourceType.allCases where client[type].isWildcard || !client[type].names.isEmpty {
            receive(client.resume(type))
        }
        if elsewhere && world.snapshot.revision > 0 { machine.update(world.snapshot) }
    }

    private mutating func change() {
        let type = ResourceType.allCases.filter { $0.isServed(in: variant) }.randomElement(using: &random) ?? .cluster
        if isLikeEnvoy && type.isFullState { return }
        let pool = (ConformanceWorld.names[type] ?? []) + ["none", "r9/none"]
        let names = Set(pool.filter { _ in random.chance(50) })
        let isWildcard = !isLikeEnvoy && random.chance(30)
        // In state of the world the words for nothing mean everything, as long as no name was given.
        let isSpeechless = variant == .stateOfTheWorld && type.isFullState && !client[type].hadNames
        if isSpeechless && names.isEmpty && !isWildcard { return }
        let forgetting = Set(names.filter { _ in random.chance(15) })
        let isAnswer = random.chance(20)
        receive(client.want(type, wildcard: isWildcard, names, forgetting: forgetting, isAnswer: isAnswer))
    }

    /// State of the world: asks for the same once more. Delta: with a stale nonce, about nothing.
    private mutating func repeatRequest() {
        guard let type = ResourceType.allCases.filter({ client[$0].isAsked }).randomElement(using: &random) else {
            return
        }
        if variant == .stateOfTheWorld { return receive(client.repeatRequest(type)) }
        receive(
            DiscoveryRequest(
                typeURL: type.typeURL, nonce: "stale", nack: random.chance(50) ? "no" : nil,
                names: .change(subscribe: [], unsubscribe: ["never asked for"], initialVersions: [:])))
    }

    private mutating func read(mayRefuse: Bool) {
        guard !wire.isEmpty else { return }
        let response = wire.removeFirst()
        // A client has no reason to refuse what says nothing.
        let isRefused = mayRefuse && response.items.contains { $0.content != nil } && random.chance(refusals)
        client.read(response, complaint: isRefused ? "cannot use this" : nil)
        log.append("read \(response.type) \(response.nonce)\(isRefused ? ", refuse" : "")")
    }

    private mutating func answer(_ type: ResourceType) {
        if let request = client.answer(type) { receive(request) }
    }
}
