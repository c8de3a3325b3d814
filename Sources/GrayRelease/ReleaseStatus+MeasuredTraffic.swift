package import Analysis
internal import MeshCore

extension ReleaseStatus {
    /// The traffic that can be measured; `nil`: what is decided is not in force.
    package var measuredTraffic: MeasuredTraffic? {
        guard let since = traffic.appliedAt ?? (traffic.changedAt == nil ? lastTransitionTime : nil) else { return nil }
        let isAll = isPromoted || traffic.canaryShare == .all
        return MeasuredTraffic(since: since, hasCanary: isPromoted || traffic.isEffective, hasStable: !isAll)
    }
}
