internal import Documents
package import GrayRelease
package import MeshCore

extension ReleaseSpec {
    /// The service and its two versions. As long as the release is active they stay, which is for its status to say: as
    /// references they are weak.
    package static func references(_ spec: ReleaseSpec, of key: ObjectKey) -> [Reference] {
        guard let namespace = key.namespace, let mesh = key.meshKey else { return [] }
        let service = ObjectKey.namespaced(
            .service, NamespacedName(namespace: namespace, name: spec.service), in: mesh)
        func version(_ field: String, _ side: Version) -> Reference {
            Reference(
                to: service, .version(side.version), at: .spec.appending(field).appending("version"), .weak)
        }
        return [
            Reference(to: service, at: .spec.appending("service"), .weak), version("stable", spec.stable),
            version("canary", spec.canary),
        ]
    }
}
