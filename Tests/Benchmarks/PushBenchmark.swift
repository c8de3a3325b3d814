internal import Documents
internal import Glibc
internal import MeshCore
internal import MeshLab
internal import MeshModel
internal import MeshStore

/// Changes that are pushed to all proxies of a fleet.
///
/// The floor of a push is what cannot be left out: reading the change from PostgreSQL once that has announced it, and sending
/// the same bytes from a bare server (``Floor``). What compiling, encoding and finding out who needs what adds to that is the
/// ratio.
struct PushBenchmark {
    static let rounds = 11

    let server: MeasuredServer
    let count: Int
    let dialect: Fleet.Dialect

    /// What changes.
    fileprivate enum Subject: String, CaseIterable {
        case endpoint = "one endpoint changes"
        case route = "one route changes"
        case clusters = "all clusters change"
    }

    /// What a push took, each round.
    struct Outcome {
        fileprivate var what: String
        fileprivate var subject: Subject?
        fileprivate var last: [Duration] = []
        /// Of all proxies in all rounds.
        fileprivate var all: [Duration] = []
        /// How long the change itself took.
        fileprivate var writing: [Duration] = []
        fileprivate var cpu: [Double] = []
        /// What the first proxy was sent.
        fileprivate var messages: [Fleet.Sample] = []
    }

    // MARK: With proxies

    /// Commits as another replica would make them, and the way of a call to the API.
    func run(_ fleet: Fleet) async throws -> [Outcome] {
        var outcomes: [Outcome] = []
        for subject in Subject.allCases {
            outcomes.append(
                try await outcome(of: Outcome(what: subject.rawValue, subject: subject), fleet) { round in
                    try await commit(subject, round)
                })
        }
        let call = Outcome(what: "one endpoint is PUT, from the call on")
        outcomes.append(
            try await outcome(of: call, fleet) { round in
                let start = ContinuousClock.now
                try await server.api.put(
                    MeasuredServer.service(LargeMesh.serviceName(Self.service)) + "/endpoints/e0",
                    ["spec": LargeMesh.endpoint(Self.service, 0, weight: 100 + round)], headers: ["If-Match": "*"]
                ).expectingSuccess("a change of an endpoint")
                return MeasuredServer.Change(began: start, writing: .now - start)
            })
        return outcomes
    }

    private static let service = 500

    /// - Parameter round: makes it another change than before.
    private func commit(_ subject: Subject, _ round: Int) async throws -> MeasuredServer.Change {
        try await server.commit { transaction, mesh in
            let key = try LargeMesh.key(Self.service)
            switch subject {
            case .endpoint:
                let endpoint = ObjectKey.endpoint(try LargeMesh.name("e0"), of: key, in: mesh)
                _ = try await transaction.put(
                    endpoint, metadata: ObjectLabels(), spec: LargeMesh.endpoint(Self.service, 0, weight: 10 + round))
            case .route:
                _ = try await transaction.put(
                    .namespaced(.virtualService, key, in: mesh), metadata: ObjectLabels(),
                    spec: LargeMesh.rules(Self.service, timeout: 10 + round))
            case .clusters:
                for index in 0..<LargeMesh.services {
                    _ = try await transaction.put(
                        .namespaced(.destinationRule, try LargeMesh.key(index), in: mesh), metadata: ObjectLabels(),
                        spec: LargeMesh.policy(index, connections: 1_000 + round))
                }
            }
        }
    }

    private func outcome(
        of outcome: Outcome, _ fleet: Fleet, _ change: (Int) async throws -> MeasuredServer.Change
    ) async throws -> Outcome {
        var outcome = outcome
        for round in 0..<Self.rounds {
            fleet.mark()
            let usage = try server.usage()
            let change = try await change(round)
            let times = try await Self.arrivals(fleet, count, outcome.what, from: change.began)
            outcome.last.append(times.last ?? .zero)
            outcome.all += times
            outcome.writing.append(change.writing)
            outcome.cpu.append(try server.usage().cpu - usage.cpu)
            outcome.messages = fleet.current.pushed
        }
        outcome.all.sort()
        return outcome
    }

    /// When each proxy had what was pushed, sorted. Returns when they have acknowledged and reported it, which is work too.
    static func arrivals(
        _ fleet: Fleet, _ count: Int, _ what: String, from start: ContinuousClock.Instant
    ) async throws -> [Duration] {
        try await fleet.wait("\(what): every proxy has it") { $0.arrivals.count == count }
        try await Task.sleep(for: .milliseconds(200))
        return fleet.current.arrivals.values.map { $0 - start }.sorted()
    }

    // MARK: Without them

    /// Measures the floors, for which no other proxies may be connected.
    ///
    /// - Parameter sample: what a proxy is sent when it comes.
    func figures(_ outcomes: [Outcome], _ sample: [String: Fleet.Sample]) async throws -> [Figure] {
        let floor = try await Floor.measure(sample, pushes: outcomes.map(\.messages), count, dialect).pushes
        var figures: [Figure] = []
        for (outcome, sending) in zip(outcomes, floor) {
            var reading: Duration?
            if let subject = outcome.subject { reading = try await self.reading(subject) }
            let time = Table.median(outcome.last) ?? .zero
            let cpu = Table.median(outcome.cpu) ?? 0
            let least = (reading ?? Table.median(outcome.writing) ?? .zero) + sending.time
            let isEndpoint = outcome.subject == .endpoint
            figures += [
                Figure(
                    what: "\(outcome.what): last proxy has it", value: Table.text(time), baseline: Table.text(least),
                    ratio: Table.ratio(time / least), budget: isEndpoint ? Budget.push(count) : ""),
                Figure(
                    what: "  p50, p99, max of all proxies", value: spread(outcome.all), budget: "p99 ≤ 100 ms"),
                Figure(
                    what: "  server CPU, with acknowledgements and reports", value: Table.text(.seconds(cpu)),
                    baseline: Table.text(.seconds(sending.cpu)), ratio: Table.ratio(cpu / sending.cpu),
                    budget: isEndpoint ? Budget.pushCPU(count) : ""),
            ]
            let parts = [
                reading.map { "\(Table.text($0)) to read the change" }
                    ?? "\(Table.text(least - sending.time)) for the call",
                "\(Table.text(sending.time)) to send it",
            ]
            figures.append(Figure(what: "  the baseline is \(parts.joined(separator: " and "))", value: ""))
        }
        return figures
    }

    private func spread(_ sorted: [Duration]) -> String {
        [sorted[sorted.count / 2], sorted[sorted.count * 99 / 100], sorted[sorted.count - 1]].map(Table.text)
            .joined(separator: ", ")
    }

    /// From a commit until the change is read: it is announced, asked for and decoded. The server is stopped meanwhile.
    private func reading(_ subject: Subject) async throws -> Duration {
        server.server.process.signal(SIGSTOP)
        defer { server.server.process.signal(SIGCONT) }
        let times = try await server.readingTimes(Self.rounds..<2 * Self.rounds) { try await commit(subject, $0) }
        return Table.median(times) ?? .zero
    }
}
