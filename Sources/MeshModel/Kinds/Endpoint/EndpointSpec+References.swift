internal import Documents
package import MeshCore

extension EndpointSpec {
    /// The cluster, and the version of the service that the endpoint is one of.
    package static func references(_ spec: EndpointSpec, of key: ObjectKey) -> [Reference] {
        let cluster = Reference(
            to: .cluster(spec.cluster, of: key.tenant), at: .spec.appending("cluster"), .strong)
        guard let version = spec.version, let service = key.parent else { return [cluster] }
        return [cluster, Reference(to: service, .version(version), at: .spec.appending("version"), .strong)]
    }
}
