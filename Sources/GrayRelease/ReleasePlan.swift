package import MeshCore

/// The steps of a release that has none of its own: made up for its type.
package enum ReleasePlan {
    package static let maxSteps = 100

    /// The plan of the short form.
    ///
    /// - canary: 5 % for 5 minutes, 25 % and 50 % for 10 minutes each, all for 15 minutes.
    /// - abTest: the matching requests, until somebody promotes; then all for 5 minutes.
    /// - blueGreen: nothing until somebody promotes; then all at once, watched for 5 minutes.
    /// - mirror: a copy of all GET and HEAD requests for 10 minutes and until somebody promotes; then all for 5 minutes.
    package static func standard(_ type: ReleaseStrategy.Kind, matches: [ContentMatch] = []) -> [ReleaseStep] {
        let all = ReleaseStep(.setWeight(.all), bakeTime: .seconds(300))
        let decision = ReleaseStep(.pause(nil), name: "decision")
        switch type {
        case .canary:
            return [(500, 300), (2500, 600), (5000, 600), (10_000, 900)].compactMap { points, seconds in
                TrafficShare(basisPoints: points).map {
                    ReleaseStep(.setWeight($0), bakeTime: .seconds(seconds as Int64))
                }
            }
        case .abTest: return [ReleaseStep(.setMatch(matches), name: "test"), decision, all]
        case .blueGreen: return [decision, all]
        case .mirror:
            let mirror = ReleaseTraffic.Mirror(share: .all, methods: ["GET", "HEAD"])
            return [
                ReleaseStep(.setMirror(mirror), bakeTime: .seconds(600), name: "shadow"), decision,
                ReleaseStep(.setMirror(nil)), all,
            ]
        }
    }
}
