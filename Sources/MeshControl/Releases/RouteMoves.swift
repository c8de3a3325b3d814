internal import Documents
internal import GrayRelease
internal import MeshCompiler
internal import MeshCore
internal import MeshModel

/// A route that sends requests, or copies of them, elsewhere after a change than before it.
struct RouteMove: Hashable {
    /// The host whose callers take the route.
    var host: Host
    var port: Int
    /// `nil`: the host's default route.
    var rules: NamespacedName?
    /// To the rule, or to the one of its matches that the route is for.
    var pointer: JSONPointer
    /// For people: services with their versions.
    var before: [String]
    var after: [String]

    var description: String {
        let route =
            rules.map { "\(pointer) of VirtualService \($0)" } ?? "the default route of \(host.noun) \(host)"
        return "\(route), port \(port), goes to \(after.joined(separator: " and ")) instead of "
            + before.joined(separator: " and ")
    }

    var json: JSONValue {
        let members: [String: JSONValue?] = [
            "port": .integer(Int64(port)),
            "virtualService": rules.map {
                ["namespace": .string($0.namespace.text), "name": .string($0.name.text)]
            },
            "pointer": rules == nil ? nil : .string(pointer.description),
            "before": .array(before.map(JSONValue.string)), "after": .array(after.map(JSONValue.string)),
        ]
        return .object(members.compactMapValues(\.self).merging(host.members) { own, _ in own })
    }
}

extension MeshState {
    /// Which routes go elsewhere when a service's status changes, wherever they are: its own, and those of other services
    /// whose rules name it. By service, port, and the order of the routes.
    func moves(of service: NamespacedName, when change: (inout ServiceStatus) -> Void) -> [RouteMove] {
        guard var changed = services[service] else { return [] }
        change(&changed.status)
        var other = self
        other.services[service] = changed
        let hosts = hosts(sendingTo: service)
        let (before, after) = (routes(of: hosts), other.routes(of: hosts))
        // Equal documents make equal routes, but for where they go.
        return zip(before, after).compactMap { old, new in
            guard old.before != new.before, old.pointer == new.pointer, old.port == new.port else { return nil }
            var move = old
            move.after = new.before
            return move
        }
    }

    /// Hosts whose routes may name `service`.
    private func hosts(sendingTo service: NamespacedName) -> Set<Host> {
        var (names, hosts) = (StateNames(self), Set([Host.service(service)]))
        for (name, rules) in virtualServices where !rules.spec.uses(of: service, from: name.namespace).isEmpty {
            hosts.formUnion(rules.spec.hosts.compactMap { names.host($0, from: name.namespace) })
        }
        return hosts
    }

    /// Every route of some hosts, as a move that has not happened.
    private func routes(of hosts: Set<Host>) -> [RouteMove] {
        let compiler = Compiler(hosts, of: self)
        return hosts.sorted().flatMap { host in
            compiler.virtualHosts(of: host).flatMap { virtualHost in
                virtualHost.routes.map { route in
                    var (rules, pointer) = (NamespacedName?.none, JSONPointer.spec)
                    if case .rules(let owner, let index, let match, _) = route.origin {
                        rules = owner
                        pointer = pointer.appending("http").appending(index)
                        if let match { pointer = pointer.appending("match").appending(match) }
                    }
                    return RouteMove(
                        host: host, port: virtualHost.port, rules: rules, pointer: pointer,
                        before: Self.destinations(of: route.action), after: [])
                }
            }
        }
    }

    private static func destinations(of action: IR.Action) -> [String] {
        func text(_ cluster: IR.ClusterName) -> String {
            cluster.version.map { "\(cluster.host) \($0)" } ?? "all versions of \(cluster.host)"
        }
        guard case .forward(let forward) = action else { return [] }
        return forward.destinations.map { text($0.cluster) } + forward.mirrors.map { "a mirror, \(text($0.cluster))" }
    }
}

extension [RouteMove] {
    /// At most this many are told one by one.
    private static var shown: Int { 200 }

    /// Warnings in the answer of the call that moves the routes: the caller wanted that, or should have known.
    var warnings: [Violation] {
        var warnings = prefix(Self.shown).map { Violation(.root, .consequence, $0.description) }
        if count > Self.shown {
            warnings.append(Violation(.root, .consequence, "and \(count - Self.shown) more routes move"))
        }
        return warnings
    }
}
