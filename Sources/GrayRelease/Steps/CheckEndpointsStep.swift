package import Documents

/// A wait until the canary has had enough healthy endpoints for some time: `checkEndpoints` of a step. It fails by the release's
/// `progressDeadline`.
package struct CheckEndpointsStep: Document {
    /// Healthy canary endpoints that there must be; `1...10_000`. `nil`: those of the endpoint guard.
    package var minReady: Int?
    /// In percent of stable's healthy endpoints: as many the canary must have. `0...1000`, default 0. In documents a ratio: `1.0`.
    package var percent = 0
    /// How long without a gap; `0s...24h`, default 30 s.
    package var duration = Duration.seconds(30)

    package init() {}

    package static let schemaName: String? = "CheckEndpointsStep"
    package static let fields: [Field<Self>] = [
        .optional(
            "minReady", \.minReady, .integer(1...10_000),
            "Healthy canary endpoints that there must be. Left out: endpointGuard.minReady."),
        .defaulted(
            "ratio", \.percent,
            Shape<Double>.number(0...10).converted(
                to: { ratio, _, _ in Int((ratio * 100).rounded()) }, from: { Double($0) / 100 }),
            "How many there must be for each healthy endpoint of stable."),
        .defaulted(
            "for", \.duration, .duration(.zero...(.seconds(86_400))), "How long, without a gap."),
    ]

    /// How many healthy canary endpoints there must be.
    func needed(guardedBy endpointGuard: ReleaseStrategy.EndpointGuard, readyStable: Int) -> Int {
        let parts = Int64(percent) * Int64(min(max(0, readyStable), 1_000_000))
        return max(minReady ?? endpointGuard.minReady, Int((parts + 99) / 100))
    }
}
