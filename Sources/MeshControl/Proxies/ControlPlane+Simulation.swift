package import Documents
internal import GrayRelease
internal import MeshCompiler
package import MeshCore
package import MeshIdentity
internal import MeshModel
internal import MeshStore
internal import RE2

extension ControlPlane {
    /// Tells which version a request to a service would get, by the same routes that sidecars are given now.
    ///
    /// What it may take is bounded (``Limits/simulationSteps``), and it keeps nobody else from the processor (``WorkDesk``).
    ///
    /// - Parameter body: `{"request": {"method", "path", "headers", "cookies", "port"}}`.
    /// - Returns: `{"matched", "destinations": [{"service", "namespace", "port", "version", "shareBp"}], …}`.
    package func simulate(
        _ service: NamespacedName, in mesh: MeshKey, _ body: JSONValue, by caller: Caller
    ) async throws -> JSONValue {
        try authorise(caller, .read(.service), in: ObjectScope(mesh, namespace: service.namespace))
        let log = ViolationLog()
        let (request, port) = Self.request(body, log)
        let violations = log.violationsAndUnknownFields
        guard violations.isEmpty else { throw ControlError.invalid(violations) }
        let state = try await currentState(of: mesh)
        guard let target = state.services[service] else { throw ControlError.notFound("service \(service.name)") }
        let simulated = try await atDesk(for: mesh.tenant) { isCancelled in
            let compiler = Compiler([.service(service)], of: state)
            let budget = StepBudget(Limits.simulationSteps.value, isCancelled: isCancelled)
            return compiler.simulate(request, to: service, port: port, budget: budget)
        }
        guard let answer = simulated else {
            throw ControlError.invalid([
                Violation(
                    JSONPointer(["request", "port"]), .unknownReference, "the service has no such HTTP port",
                    choices: target.spec.ports.filter(\.appProtocol.isHTTP).map { String($0.number) })
            ])
        }
        return answer.json(of: service) { caller.mayEnter(mesh: mesh.mesh, namespace: $0) }
    }

    /// Does a tenant's job when its turn comes, on threads that no request waits for.
    ///
    /// - Throws: ``ControlError/busy(_:isOfTenant:)``.
    func atDesk<Value: Sendable>(
        for tenant: Name, _ body: @escaping @Sendable (_ isCancelled: @escaping @Sendable () -> Bool) -> Value
    ) async throws -> Value {
        do {
            return try await desk.run(for: tenant, body)
        } catch let full as WorkDesk.Full {
            throw ControlError.busy(full.limit, isOfTenant: full.isOfTenant)
        }
    }

    private static func request(_ body: JSONValue, _ log: ViolationLog) -> (Simulation.Request, port: Int?) {
        var fields = FieldReader(body, at: .root, log: log)
        var request = Simulation.Request()
        var port: Int?
        if var nested = fields.object("request", required: true) {
            request = Simulation.Request(
                method: nested.read("method", .string(atMost: 32)) ?? "GET",
                path: nested.read("path", .string()) ?? "/",
                headers: nested.read("headers", .strings) ?? [:], cookies: nested.read("cookies", .strings) ?? [:])
            if !request.path.hasPrefix("/") {
                log.report(nested.pointer.appending("path"), .invalidFormat, "must begin with /")
            }
            port = nested.read("port", .port)
            nested.finish()
        }
        fields.finish()
        return (request, port)
    }
}

extension Simulation.Answer {
    /// - Parameter isVisible: whether the reader may know what is in a namespace. Of what it may not, only that is said.
    func json(of service: NamespacedName, isVisible: (Name) -> Bool) -> JSONValue {
        var members: [String: JSONValue] = [
            "matched": origin.map { matched($0, service, isVisible) } ?? .null, "destinations": [],
        ]
        switch outcome {
        case .forwarded(let destinations, let mirrors):
            members["destinations"] = .array(destinations.map { Self.json($0, isVisible) })
            members["mirrors"] = JSONValue.list(mirrors) { Self.json($0, isVisible) }
        case .redirected(let redirect): members["redirect"] = ["status": .integer(Int64(redirect.code))]
        case .answered(let status): members["directResponse"] = ["status": .integer(Int64(status))]
        case .undecided:
            let limit = Limits.simulationSteps
            members["limit"] = [
                "name": .string(limit.name), "value": .integer(Int64(limit.value)), "unit": .string(limit.unit),
            ]
        }
        if origin?.isVisible(isVisible) ?? true { members["fault"] = fault?.json }
        members["undecided"] = JSONValue.list(undecided, JSONValue.string)
        return .object(members)
    }

    private func matched(
        _ origin: IR.Origin, _ service: NamespacedName, _ isVisible: (Name) -> Bool
    ) -> JSONValue {
        let (kind, name, rule): (Kind, NamespacedName, Int?) =
            switch origin {
            case .service: (.service, service, nil)
            case .rules(let name, let index, _, _): (.virtualService, name, index)
            }
        guard isVisible(name.namespace) else {
            return ["kind": .string(kind.name), "namespace": .string(name.namespace.text)]
        }
        return .fields([
            "kind": .string(kind.name), "namespace": .string(name.namespace.text), "name": .string(name.name.text),
            "pointer": rule.map { .string("/spec/http/\($0)") }, "route": route.map(JSONValue.string),
            "releases": JSONValue.list(releases) {
                ["namespace": .string($0.namespace.text), "name": .string($0.name.text)]
            },
        ])
    }

    private static func json(
        _ destination: Simulation.Destination, _ isVisible: (Name) -> Bool
    ) -> JSONValue {
        let share = JSONValue.number(whole: Double(destination.millionths) / 100)
        let namespace = destination.host.namespace
        guard isVisible(namespace) else { return ["namespace": .string(namespace.text), "shareBp": share] }
        let members: [String: JSONValue] = [
            "port": .integer(Int64(destination.port)),
            "version": destination.version.map { .string($0.text) } ?? .null, "shareBp": share,
        ]
        return .object(members.merging(destination.host.members) { own, _ in own })
    }
}

extension IR.Origin {
    /// Whether the reader may know of the object that decides.
    fileprivate func isVisible(_ isVisible: (Name) -> Bool) -> Bool {
        switch self {
        case .service: true
        case .rules(let name, _, _, _): isVisible(name.namespace)
        }
    }
}
