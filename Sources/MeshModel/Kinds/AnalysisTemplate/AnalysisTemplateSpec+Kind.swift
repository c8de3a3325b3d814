package import Analysis
internal import Documents
package import MeshCore

/// The compiler sees nothing of it.
extension AnalysisTemplateSpec: ResourceKind {
    package static let info = KindInfo(
        "AnalysisTemplate", in: .namespace, roles: KindRoles(write: .developers.union([.releaser])))
}

extension Kind {
    package static let analysisTemplate = kinds[AnalysisTemplateSpec.self]
}

extension AnalysisTemplateSpec {
    /// The providers that its metrics ask.
    package static func references(_ spec: Self, of key: ObjectKey) -> [Reference] {
        guard let namespace = key.namespace, let mesh = key.meshKey else { return [] }
        return spec.metrics.enumerated().compactMap { index, metric in
            guard let (name, form) = metric.outsideProvider else { return nil }
            let place = JSONPointer.spec.appending("metrics").appending(index).appending("provider").appending(form)
            return Reference(
                to: .namespaced(.metricProvider, NamespacedName(namespace: namespace, name: name), in: mesh),
                at: place.appending("ref"), .strong)
        }
    }
}

extension AnalysisMetric {
    /// The provider that is asked, and the member that names it; `nil` of the server's own figures.
    fileprivate var outsideProvider: (Name, String)? {
        guard case .provider(let provider) = source else { return nil }
        return switch provider.query {
        case .builtin: nil
        case .prometheus(let query): (query.ref, "prometheus")
        case .httpJSON(let query): (query.ref, "httpJson")
        }
    }
}
