internal import MeshCompiler
package import MeshIdentity
package import MeshModel
internal import MeshStore

extension ControlPlane {
    /// Tells which version a request to a service would get, by the same routes that sidecars are given now.
    ///
    /// - Parameter body: `{"request": {"method", "path", "headers", "cookies", "port"}}`.
    /// - Returns: `{"matched", "destinations": [{"service", "namespace", "port", "version", "shareBp"}], …}`.
    package func simulate(
        _ service: NamespacedName, in mesh: MeshKey, _ body: JSONValue, by caller: Caller
    ) async throws -> JSONValue {
        try authorise(caller, .readServices, in: ObjectScope(mesh, namespace: service.namespace))
        let log = ViolationLog()
        let (request, port) = Self.request(body, log)
        guard log.violations.isEmpty, log.unknownFields.isEmpty else {
            throw ControlError.invalid(log.violations + log.unknownFields)
        }
        let state = try await currentState(of: mesh)
        guard let target = state.services[service] else { throw ControlError.notFound("service \(service.name)") }
        var compiler = Compiler()
        _ = compiler.update(state, state.change(about: service))
        guard let answer = compiler.simulate(request, to: service, port: port) else {
            throw ControlError.invalid([
                Violation(
                    JSONPointer(["request", "port"]), .unknownReference, "the service has no such HTTP port",
                    choices: target.spec.ports.filter(\.appProtocol.isHTTP).map { String($0.number) })
            ])
        }
        return answer.json(of: service)
    }

    private static func request(_ body: JSONValue, _ log: ViolationLog) -> (Simulation.Request, port: Int?) {
        var fields = FieldReader(body, at: .root, log: log)
        var request = Simulation.Request()
        var port: Int?
        if var nested = fields.object("request", required: true) {
            request = Simulation.Request(
                method: nested.string("method", maxLength: 32) ?? "GET", path: nested.string("path") ?? "/",
                headers: nested.stringMap("headers"), cookies: nested.stringMap("cookies"))
            if !request.path.hasPrefix("/") {
                log.report(nested.pointer.appending("path"), .invalidFormat, "must begin with /")
            }
            port = nested.integer("port", in: 1...65_535).map(Int.init)
            nested.finish()
        }
        fields.finish()
        return (request, port)
    }
}

extension MeshState {
    /// What a compiler that knows nothing yet must look at for one service's routes.
    func change(about service: NamespacedName) -> MeshChange {
        var change = MeshChange()
        change.services = [service]
        for (name, rules) in virtualServices
        where rules.spec.hosts.contains(where: { HostName.service($0, from: name.namespace) == service }) {
            change.virtualServices.insert(name)
        }
        for (name, policies) in destinationRules
        where HostName.service(policies.spec.host, from: name.namespace) == service {
            change.destinationRules.insert(name)
        }
        for (name, traffic) in releases where traffic.service == service { change.releases.insert(name) }
        return change
    }
}

extension Simulation.Answer {
    func json(of service: NamespacedName) -> JSONValue {
        var members: [String: JSONValue] = [
            "matched": origin.map { matched($0, service) } ?? .null, "destinations": [],
        ]
        switch outcome {
        case .forwarded(let destinations, let mirrors):
            members["destinations"] = .array(destinations.map(Self.json))
            members["mirrors"] = JSONValue.list(mirrors) {
                .fields([
                    "service": .string($0.service.name.text), "version": $0.version.map { .string($0.text) } ?? .null,
                    "shareBp": .hundredths($0.millionths),
                ])
            }
        case .redirected(let redirect): members["redirect"] = ["status": .integer(Int64(redirect.code))]
        case .answered(let status): members["directResponse"] = ["status": .integer(Int64(status))]
        }
        members["undecided"] = JSONValue.list(undecided, JSONValue.string)
        return .object(members)
    }

    private func matched(_ origin: IR.Origin, _ service: NamespacedName) -> JSONValue {
        let (kind, name, rule): (Kind, NamespacedName, Int?) =
            switch origin {
            case .service: (.service, service, nil)
            case .rules(let name, let index, _, _): (.virtualService, name, index)
            }
        return .fields([
            "kind": .string(kind.rawValue), "namespace": .string(name.namespace.text), "name": .string(name.name.text),
            "pointer": rule.map { .string("/spec/http/\($0)") }, "route": route.map(JSONValue.string),
            "releases": JSONValue.list(releases) {
                ["namespace": .string($0.namespace.text), "name": .string($0.name.text)]
            },
        ])
    }

    private static func json(_ destination: Simulation.Destination) -> JSONValue {
        [
            "namespace": .string(destination.service.namespace.text), "service": .string(destination.service.name.text),
            "port": .integer(Int64(destination.port)), "version": destination.version.map { .string($0.text) } ?? .null,
            "shareBp": .hundredths(destination.millionths),
        ]
    }
}
