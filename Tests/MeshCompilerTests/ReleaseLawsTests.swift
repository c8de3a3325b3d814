import GrayRelease
import MeshCore
import MeshFixtures
import MeshModel
import TestSupport
import Testing

@testable import MeshCompiler

/// What holds of every release over every set of rules. `SLUICE_LAW_MESHES=5000` has them look at more meshes.
@Suite("The laws of releases")
struct ReleaseLawsTests {
    static let meshes = Array(0..<LongRun.count("SLUICE_LAW_MESHES", else: 300))

    @Test("A request that no divided rule takes is answered as without the release", arguments: meshes)
    func othersAreLeftAlone(_ seed: Int) throws {
        var mesh = RandomReleaseMesh(seed: UInt64(seed))
        let state = try mesh.state()
        let effects = mesh.traffic.effects(in: RuleIndex(state))
        let (with, without) = (Compiler(state), Compiler(state.withoutRelease))
        for _ in 0..<20 {
            let request = mesh.request()
            let before = try #require(without.simulate(request, to: RandomReleaseMesh.service))
            let isSplit = effects.contains { $0.effect == .split && $0.isAbout(before.origin) }
            guard !isSplit, before.undecided.isEmpty else { continue }
            let after = try #require(with.simulate(request, to: RandomReleaseMesh.service))
            #expect(after.outcome == before.outcome)
            #expect(after.origin == before.origin)
            #expect(after.fault == before.fault)
        }
    }

    @Test("The service's part of a rule, and every other destination's, is what the document says", arguments: meshes)
    func sharesAreExact(_ seed: Int) throws {
        let mesh = RandomReleaseMesh(seed: UInt64(seed))
        let state = try mesh.state()
        let before = try Self.routes(state.withoutRelease)
        for route in try Self.routes(state) {
            guard case .forward(let forward) = route.action else { continue }
            let original = try #require(before.first { $0.origin == route.origin })
            guard case .forward(let documented) = original.action else { continue }
            #expect(forward.parts(ofService: true) == documented.parts(ofService: true))
            #expect(forward.parts(ofService: false) == documented.parts(ofService: false))
            #expect(forward.destinations.reduce(0) { $0 + $1.weight } == IR.Share.total)
        }
    }

    @Test("What a destination says of headers holds before, while and after a release splits it", arguments: meshes)
    func headersStay(_ seed: Int) throws {
        let mesh = RandomReleaseMesh(seed: UInt64(seed))
        let state = try mesh.state()
        let before = try Self.routes(state.untouched)
        for later in [state, state.withoutRelease, state.promoted(by: mesh.traffic)] {
            for route in try Self.routes(later) where !later.moves(route.origin) {
                guard case .forward(let forward) = route.action else { continue }
                let original = try #require(before.first { $0.origin == route.origin })
                guard case .forward(let documented) = original.action else { continue }
                #expect(forward.partsByHeaders == documented.partsByHeaders)
            }
        }
    }

    @Test("Without weight, match and mirror the routes are those without a release", arguments: meshes)
    func nothingIsNothing(_ seed: Int) throws {
        var mesh = RandomReleaseMesh(seed: UInt64(seed))
        mesh.traffic.canaryShare = .none
        mesh.traffic.matches = []
        let state = try mesh.state()
        let before = try Self.routes(state.withoutRelease)
        if mesh.traffic.mirror == nil {
            #expect(try Self.routes(state) == before)
        } else {
            // A mirror alone sends no request elsewhere.
            for route in try Self.routes(state) {
                let original = try #require(before.first { $0.origin == route.origin })
                #expect(route.destinations == original.destinations)
            }
        }
    }

    @Test("Users only move to the canary while its share grows, and to and from nowhere else", arguments: meshes)
    func cohortsGrow(_ seed: Int) throws {
        var mesh = RandomReleaseMesh(seed: UInt64(seed))
        mesh.traffic.matches = []
        mesh.traffic.mirror = nil
        mesh.traffic.stickiness = mesh.stickiness()
        let shares = [mesh.share(), mesh.share()].sorted()
        let routes = try shares.map { share in
            mesh.traffic.canaryShare = share
            return try Self.routes(mesh.state())
        }
        for fewer in routes[0] {
            guard let more = routes[1].first(where: { fewer.isSame(as: $0) }) else {
                continue
            }
            for hash in mesh.hashes(fewer.destinations + more.destinations) {
                let (a, b) = (fewer.destination(of: hash), more.destination(of: hash))
                if a?.isCanary == true { #expect(b?.isCanary == true) }
                if a?.isReleased == false || b?.isReleased == false {
                    #expect(a?.cluster == b?.cluster, "\(fewer.name): \(fewer.destinations) and \(more.destinations)")
                }
            }
        }
    }

    @Test("While both versions have a share, every route that is divided keeps its users", arguments: meshes)
    func usersAreKept(_ seed: Int) throws {
        var mesh = RandomReleaseMesh(seed: UInt64(seed))
        let stickiness = mesh.stickiness()
        let kept = try Self.kept(by: stickiness, in: &mesh)
        mesh.traffic.stickiness = nil
        let free = try Self.routes(mesh.state())
        // But for keeping users, and for routes of those who have no key yet, nothing is another.
        #expect(kept.filter { !$0.givesCookie }.map(\.withoutStickiness) == free)
        for (index, route) in kept.enumerated() where route.givesCookie {
            let next = kept[index + 1]
            #expect(route.destinations == next.destinations && next.isKept)
            #expect(route.withoutMatch == next.withoutMatch)
        }
        let hasCookie = stickiness.cookie?.ttl != nil
        let isDivided = mesh.traffic.isDivided
        for (index, route) in kept.enumerated() {
            let versions = Set(route.destinations.filter(\.isReleased).map(\.cluster.version))
            let isBoth = versions.isSuperset(of: [RandomReleaseMesh.stable, RandomReleaseMesh.canary])
            if isBoth && isDivided && !route.releases.isEmpty { #expect(route.isKept || route.givesCookie) }
            if route.isKept || route.givesCookie { #expect(isDivided) }
            // Where the rule itself asks for the header, nobody is without.
            let asks = route.match.headers.contains { $0.name == "x-user" } && stickiness.key == .header("x-user")
            if route.isKept && hasCookie && !asks { #expect(index > 0 && kept[index - 1].givesCookie) }
        }
    }

    private static func kept(by stickiness: Stickiness, in mesh: inout RandomReleaseMesh) throws -> [IR.Route] {
        mesh.traffic.stickiness = stickiness
        return try routes(mesh.state())
    }

    @Test("Meaning depends on what is stored, not on when it was written", arguments: meshes)
    func timesDecideNothing(_ seed: Int) throws {
        var mesh = RandomReleaseMesh(seed: UInt64(seed))
        let state = try mesh.state()
        var other = state
        for name in state.virtualServices.keys {
            other.virtualServices[name]?.createTime = Timestamp(microseconds: Int64(mesh.number(1...1000)))
        }
        #expect(try Self.routes(other) == Self.routes(state))
        // Deleted, and created again.
        var compiler = Compiler(state)
        var change = MeshChange()
        change.virtualServices = Set(state.virtualServices.keys)
        var without = state
        without.virtualServices = Table()
        _ = compiler.update(without, change)
        _ = compiler.update(other, change)
        #expect(CompiledMesh(compiler) == CompiledMesh(Compiler(state)))
    }

    @Test("What is divided is at the end of the release where the promotion leaves it", arguments: meshes)
    func promotionMovesNothing(_ seed: Int) throws {
        var mesh = RandomReleaseMesh(seed: UInt64(seed))
        mesh.traffic.canaryShare = .all
        mesh.traffic.matches = []
        mesh.traffic.mirror = nil
        let before = try mesh.state()
        let complete = mesh.traffic.effects(in: RuleIndex(before)).filter { $0.atPromotion != .moves }
        let promoted = try Self.routes(before.promoted(by: mesh.traffic))
        for route in try Self.routes(before) where complete.contains(where: { $0.isAbout(route.origin) }) {
            let later = try #require(promoted.first { route.isSame(as: $0) })
            // Copies go to the stable version of the moment; they are not divided.
            #expect(later.withoutMirrors == route.withoutMirrors)
        }
    }

    @Test("A copy rewrites as its rule does", arguments: meshes)
    func copiesRewriteAlike(_ seed: Int) throws {
        let mesh = RandomReleaseMesh(seed: UInt64(seed))
        let state = try mesh.state()
        let before = try Self.routes(state.withoutRelease)
        for copy in try Self.routes(state) where copy.releases.contains(where: \.isCopy) {
            let original = try #require(before.first { $0.origin == copy.origin })
            #expect(copy.match.path == original.match.path)
            #expect(copy.match.ignoresCase == original.match.ignoresCase)
            guard case .forward(let forward) = copy.action, case .forward(let documented) = original.action else {
                Issue.record("a copy of what is not forwarded: \(copy.name)")
                continue
            }
            #expect(forward.rewrite == documented.rewrite)
            #expect(forward.timeout == documented.timeout)
            #expect(forward.retries == documented.retries)
            #expect(copy.headers == original.headers)
            #expect(copy.fault == original.fault)
        }
    }

    private static func routes(_ state: MeshState) throws -> [IR.Route] {
        try #require(Compiler(state).virtualHosts(of: .service(RandomReleaseMesh.service)).first?.routes)
    }
}

extension MeshState {
    fileprivate var withoutRelease: MeshState {
        var state = self
        state.releases = Table()
        return state
    }

    /// As if no release had ever run.
    fileprivate var untouched: MeshState {
        var state = withoutRelease
        state.services[RandomReleaseMesh.service]?.status = ServiceStatus()
        return state
    }

    fileprivate func promoted(by traffic: ReleaseTraffic) -> MeshState {
        var state = withoutRelease
        let promotion = ServiceStatus.Change.promote(
            from: traffic.stable, to: traffic.canary, at: Timestamp(microseconds: 0), rules: traffic.rules)
        state.services[RandomReleaseMesh.service]?.status.apply(promotion, by: RandomReleaseMesh.canary)
        return state
    }

    /// Whether the rule names a version that requests to another destination of it may go to instead, or one that has been
    /// retired: then they have the headers of where they go.
    fileprivate func moves(_ origin: IR.Origin) -> Bool {
        guard case .rules(let owner, let index, _, _) = origin, let rules = virtualServices[owner]?.spec.http,
            case .route(let parts) = rules[index].action
        else { return false }
        let retired = services[RandomReleaseMesh.service]?.status.promotions.map(\.from) ?? []
        return parts.contains { part in
            let named = part.destination.subset
            return part.destination.host == "a.x" && named != RandomReleaseMesh.stable
                && (named == RandomReleaseMesh.canary || retired.contains { $0 == named })
        }
    }
}

extension RouteEffect {
    /// - Parameter origin: `nil` is of no rule.
    fileprivate func isAbout(_ origin: IR.Origin?) -> Bool {
        switch origin {
        case .rules(let name, let index, _, _): virtualService == name && rule == index
        case .service: virtualService == nil
        case nil: false
        }
    }
}

extension IR.Route {
    fileprivate var destinations: [IR.Share] {
        guard case .forward(let forward) = action else { return [] }
        return forward.destinations
    }

    fileprivate var withoutMirrors: IR.Action {
        guard case .forward(var forward) = action else { return action }
        forward.mirrors = []
        return .forward(forward)
    }

    /// Where Envoy sends a request with this hash: the destinations lie side by side, in their order.
    fileprivate func destination(of hash: Int) -> IR.Share? {
        var rest = hash % max(1, destinations.reduce(0) { $0 + $1.weight })
        for share in destinations {
            if rest < share.weight { return share }
            rest -= share.weight
        }
        return nil
    }
}

extension IR.Route {
    /// Whether its users are kept on a destination.
    fileprivate var isKept: Bool { stickiness.map { !$0.givesCookie } ?? false }
    /// Whether it is for those who have no key and are given a cookie.
    fileprivate var givesCookie: Bool { stickiness?.givesCookie ?? false }

    private var stickiness: IR.Stickiness? {
        guard case .forward(let forward) = action else { return nil }
        return forward.stickiness
    }

    fileprivate var withoutStickiness: IR.Route {
        guard case .forward(var forward) = action else { return self }
        (forward.stickiness, forward.hashOn) = (nil, [])
        var route = self
        route.action = .forward(forward)
        return route
    }

    /// All but which requests it is for, by what, and what it is called.
    fileprivate var withoutMatch: IR.Route {
        var route = withoutStickiness
        (route.match, route.name, route.releases) = (.any, "", [])
        return route
    }
}

extension IR.Share {
    fileprivate var isCanary: Bool { isReleased && cluster.version == RandomReleaseMesh.canary }
    /// Whether it is the service's: as a whole, or of stable or canary.
    fileprivate var isReleased: Bool {
        cluster.host == .service(RandomReleaseMesh.service)
            && [nil, RandomReleaseMesh.stable, RandomReleaseMesh.canary].contains(cluster.version)
    }
}

extension IR.Forward {
    fileprivate struct Saying: Hashable {
        /// `nil`: the service, stable or canary.
        var cluster: IR.ClusterName?
        var headers: HeaderOperations
    }

    /// Weights by where requests go and what is said of their headers.
    fileprivate var partsByHeaders: [Saying: Int] {
        destinations.reduce(into: [:]) {
            $0[Saying(cluster: $1.isReleased ? nil : $1.cluster, headers: $1.headers), default: 0] += $1.weight
        }
    }

    /// Weights by cluster; those of the service, of stable and of canary are one.
    fileprivate func parts(ofService: Bool) -> [String: Int] {
        destinations.filter { $0.isReleased == ofService }.reduce(into: [:]) {
            $0[ofService ? "" : $1.cluster.text, default: 0] += $1.weight
        }
    }
}

extension IR.Route {
    /// Whether both are of one rule, and of one of its matches: rules may have one name and one condition.
    fileprivate func isSame(as other: IR.Route) -> Bool {
        origin == other.origin && name == other.name && match == other.match
    }
}
