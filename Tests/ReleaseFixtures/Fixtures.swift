package import Analysis
package import GrayRelease
package import MeshCore

/// Short ways to the values that release tests are made of.
package enum Fixture {
    package static let epoch = Timestamp(microseconds: 1_795_400_000_000_000)
    package static let v1 = name("v1"), v2 = name("v2"), reviews = name("reviews"), shop = name("shop")
    /// What the release of a ``Scene`` is called.
    package static let release = name("reviews-v2")

    /// May promote, and is in a group.
    package static let engineer = ReleaseActor(person: "ann", groups: ["sre"])
    /// May not promote.
    package static let developer = ReleaseActor(person: "dan", groups: ["developer"], mayPromote: false)
    /// May do everything.
    package static let admin = ReleaseActor(
        person: "root", groups: ["meshAdmin"], maySkipApproval: true)

    package static func name(_ text: String) -> Name {
        guard let name = Name(text) else { preconditionFailure("not a name: \(text)") }
        return name
    }

    package static func share(_ points: Int64) -> TrafficShare {
        guard let share = TrafficShare(basisPoints: points) else { preconditionFailure("not a share: \(points)") }
        return share
    }

    package static func weight(_ points: Int64, bake seconds: Int64 = 0) -> ReleaseStep {
        ReleaseStep(.setWeight(share(points)), bakeTime: .seconds(seconds))
    }

    package static let insiders = ReleaseStep(.setMatch([ContentMatch(headers: ["x-canary": .exact("insider")])]))
    package static let shadow = ReleaseStep(
        .setMirror(ReleaseTraffic.Mirror(share: share(2000), methods: ["GET"])), bakeTime: .seconds(30))

    package static func spec(
        _ steps: [ReleaseStep] = [weight(500, bake: 60), ReleaseStep(.pause(nil)), weight(10_000, bake: 60)],
        endpointGuard: ReleaseStrategy.EndpointGuard = .init(), onFailed: ReleaseSpec.FailureAction = .rollback
    ) -> ReleaseSpec {
        ReleaseSpec(
            service: reviews, port: 9080, stable: v1, canary: v2,
            strategy: ReleaseStrategy(endpointGuard: endpointGuard, steps: steps), onFailed: onFailed)
    }

    package static func observations(stable: Int = 2, canary: Int = 2) -> ReleaseObservations {
        ReleaseObservations(readyStable: stable, readyCanary: canary, meshRevision: 100)
    }
}

extension ReleaseObservations.Proxies {
    /// So many of a mesh's proxies are there, and have been; the server has answered for an hour.
    package static func connected(_ relevant: Int, acked: Int = 0) -> Self {
        var proxies = Self()
        proxies.relevant = relevant
        proxies.acked = acked
        proxies.hadAny = relevant > 0
        proxies.servedSince = Fixture.epoch + .seconds(-3600)
        return proxies
    }
}

/// One release in a world that does what a test says: the store, the proxies and the clock in one value.
package struct Scene {
    package let spec: ReleaseSpec
    package var status = ReleaseStatus()
    package var service = ServiceStatus()
    package var observations = Fixture.observations()
    package var now = Fixture.epoch
    package var revision: Revision = 100
    package var events: [ReleaseEvent] = []
    package var nextWakeupAt: Timestamp?
    /// Runs of analyses that have begun, with what they have come to.
    package var runs: [String: AnalysisObservation] = [:]
    /// Runs that were begun and not canceled, the newest last.
    package var begun: [String] = []
    /// Whether proxies acknowledge everything at once.
    package var proxiesFollow = true

    package init(_ spec: ReleaseSpec = Fixture.spec()) { self.spec = spec }

    /// Observations as they would be read for the present status.
    package var view: ReleaseObservations {
        var view = observations
        view.meshRevision = revision
        view.stableVersion = service.stableVersion
        view.promotions = service.promotions
        view.analyses = runs.filter { status.analysis.ids.contains($0.key) }
        view.plannedWakeupAt = view.plannedWakeupAt ?? nextWakeupAt
        if status.traffic.configRevision == nil {
            view.proxies.acked = 0
        } else if proxiesFollow {
            (view.proxies.acked, view.proxies.away) = (view.proxies.relevant, [])
        }
        return view
    }

    package mutating func commit(_ decision: ReleaseDecision) {
        revision += 1
        status = decision.status
        status.stamp(revision)
        // As the database would; not each time, because walks are long.
        if revision % 4 == 0 { status = ReleaseStatus(status.json) }
        for change in decision.analysisChanges {
            switch change {
            case .begin(let id, _, _):
                begun.append(id)
                runs[id] = AnalysisObservation(.pending)
            case .cancel(let id):
                begun.removeAll { $0 == id }
                runs[id] = AnalysisObservation(.canceled)
            }
        }
        for change in decision.serviceChanges { service.apply(change, by: Fixture.release) }
        events += decision.events
        nextWakeupAt = decision.nextWakeupAt
    }

    @discardableResult
    package mutating func drive() -> ReleaseDecision {
        let decision = ReleaseMachine.decide(spec: spec, status: status, observations: view, now: now)
        commit(decision)
        return decision
    }

    @discardableResult
    package mutating func ask(
        _ verb: ReleaseVerb, by actor: ReleaseActor = Fixture.engineer
    ) throws(VerbRefusal) -> ReleaseDecision {
        let decision = try ReleaseMachine.apply(
            verb, by: actor, spec: spec, status: status, observations: view, now: now)
        commit(decision)
        return decision
    }

    /// Gives way to another release of the service.
    package mutating func giveWay() {
        let decision = ReleaseMachine.supersede(
            by: Fixture.name("reviews-v9"), spec: spec, status: status, observations: view, now: now)
        if let decision { commit(decision) }
    }

    /// Has runs that are not over come to something; those beside the steps go on when they are good.
    package mutating func measure(_ next: (AnalysisPhase) -> AnalysisPhase) {
        for id in status.analysis.ids {
            guard let run = runs[id], !run.phase.isFinal else { continue }
            var phase = next(run.phase)
            let isBeside = id == status.analysis.background
            if isBeside && phase == .successful { phase = .running }
            runs[id] = AnalysisObservation(
                phase, message: phase == .running ? "" : "measured", errorSince: phase == .error ? now : nil,
                measuredSince: status.traffic.appliedAt)
        }
    }

    /// Has a run come to something, and drives.
    package mutating func find(_ id: String?, _ observation: AnalysisObservation) {
        guard let id else { return }
        runs[id] = observation
        settle()
    }

    /// Drives until nothing happens any more without time going on.
    package mutating func settle() {
        for _ in 0..<50 {
            let before = status
            drive()
            if status == before { return }
        }
    }

    package mutating func pass(_ seconds: Int64) {
        now = now + .seconds(seconds)
        nextWakeupAt = nextWakeupAt.map { max($0, now) }
        settle()
    }

    /// Started, and settled at its first step.
    package static func started(_ spec: ReleaseSpec = Fixture.spec(), proxies: Int = 0) throws -> Scene {
        var scene = Scene(spec)
        scene.observations.proxies = .connected(proxies)
        try scene.ask(.start)
        scene.settle()
        return scene
    }
}

extension ReleaseVerb {
    package static var start: Self { .start(force: false) }
    package static var retry: Self { .retry(force: false) }
}
