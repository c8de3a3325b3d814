package import Analysis
package import MeshCore

/// The compiler sees nothing of it.
extension AnalysisTemplateSpec: ResourceKind {
    package static let info = KindInfo(
        "AnalysisTemplate", in: .namespace, roles: KindRoles(write: .developers.union([.releaser])))
}

extension Kind {
    package static let analysisTemplate = kinds[AnalysisTemplateSpec.self]
}
