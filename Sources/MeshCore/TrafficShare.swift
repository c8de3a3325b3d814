/// A share of one route's traffic in basis points: 10 000 is all of it, 1 is 0.01 %.
///
/// An integer, so the shares of a split add up exactly and compare without tolerance. Envoy takes them unchanged as
/// cluster weights and divides by their sum (`envoy.config.route.v3.WeightedCluster`, `route_components.proto`).
package struct TrafficShare: Hashable, Comparable, Sendable {
    /// `0...10_000`.
    package let basisPoints: UInt16

    package static let none = TrafficShare(trusted: 0)
    package static let all = TrafficShare(trusted: 10_000)

    /// - Returns: `nil` outside of `0...10_000`.
    package init?(basisPoints: Int64) {
        guard (0...10_000).contains(basisPoints) else { return nil }
        self.init(trusted: UInt16(basisPoints))
    }

    private init(trusted basisPoints: UInt16) { self.basisPoints = basisPoints }

    /// The rest of all traffic.
    package var complement: TrafficShare { TrafficShare(trusted: 10_000 - basisPoints) }

    package static func < (a: Self, b: Self) -> Bool { a.basisPoints < b.basisPoints }
}
