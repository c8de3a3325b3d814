package import GrayRelease
internal import MeshCore
package import TestSupport

extension Fixture {
    private static var check: CheckEndpointsStep {
        var check = CheckEndpointsStep()
        (check.percent, check.duration) = (50, .seconds(20))
        return check
    }

    private static func randomGate(_ generator: inout SeededGenerator) -> ApprovalStep {
        var gate = ApprovalStep()
        gate.requiredApprovals = Int.random(in: 1...2, using: &generator)
        if generator.chance(30) { gate.roles = ["sre"] }
        gate.excludesCreator = generator.chance(30)
        if generator.chance(50) { gate.timeout = .seconds(60) }
        return gate
    }

    /// A release of one to six steps.
    ///
    /// - Parameter indefinitePauses: whether some steps wait for a decision.
    package static func randomSpec(_ generator: inout SeededGenerator, indefinitePauses: Bool = true) -> ReleaseSpec {
        let steps = (0..<Int.random(in: 1...6, using: &generator)).map { _ in
            let bake = Duration.seconds(Int64.random(in: 0...3, using: &generator) * 20)
            switch Int.random(in: 0..<10, using: &generator) {
            case 7:
                guard indefinitePauses else { return ReleaseStep(.checkEndpoints(check)) }
                return ReleaseStep(.approval(randomGate(&generator)))
            case 8: return ReleaseStep(.webhook(WebhookStep()))
            case 9: return ReleaseStep(generator.chance(50) ? .checkEndpoints(check) : .notify(NotifyStep()))
            case 0: return ReleaseStep(.pause(indefinitePauses && generator.chance(40) ? nil : .seconds(15)))
            case 6: return ReleaseStep(.analysis(AnalysisUse()))
            case 1:
                return ReleaseStep(
                    .setMatch(generator.chance(70) ? [ContentMatch(path: .prefix("/x"))] : []), bakeTime: bake)
            case 2:
                let mirror = ReleaseTraffic.Mirror(share: Fixture.share(3000), methods: [])
                return ReleaseStep(.setMirror(generator.chance(70) ? mirror : nil), bakeTime: bake)
            default:
                let points: Int64 = [0, 1, 500, 5000, 10_000].randomElement(using: &generator) ?? 0
                return ReleaseStep(.setWeight(Fixture.share(points)), bakeTime: bake)
            }
        }
        var spec = Fixture.spec(
            steps,
            endpointGuard: .init(
                minReady: Int.random(in: 1...2, using: &generator), capacityPercent: generator.chance(30) ? 50 : 0,
                onCanaryUnavailable: ReleaseStrategy.UnavailableAction.allCases.randomElement(using: &generator)
                    ?? .rollback),
            onFailed: generator.chance(70) ? .rollback : .pause)
        if generator.chance(40) { spec.unsplit = .hold }
        spec.respectsFreezeWindows = generator.chance(90)
        if generator.chance(30) { spec.strategy.backgroundAnalysis = BackgroundAnalysis() }
        if generator.chance(20) { spec.strategy.postPromotionAnalysis = AnalysisUse() }
        spec.onInconclusive = ReleaseSpec.InconclusiveAction.allCases.randomElement(using: &generator) ?? .pause
        spec.onError = generator.chance(80) ? .hold : .rollback
        spec.errorEscalation.after = .seconds(60)
        spec.strategy.onApplyTimeout =
            ReleaseStrategy.ApplyTimeoutAction.allCases.randomElement(using: &generator) ?? .hold
        spec.strategy.maxStragglers = [nil, 0, 1].randomElement(using: &generator) ?? nil
        if generator.chance(20) { spec.startAt = Fixture.epoch + .seconds(30) }
        return spec
    }
}
