internal import Documents
package import MeshCore

extension DestinationRuleSpec {
    /// The service that the rule is about. It exists when the rule is written, and may be deleted before the rule, which then says
    /// that it is not in force. Which versions the subsets mean is for the service's labels to say, and no reference.
    package static func references(_ spec: DestinationRuleSpec, of key: ObjectKey) -> [Reference] {
        // Another namespace's is refused, so there is no right to ask for.
        guard let namespace = key.namespace, let mesh = key.meshKey,
            let service = HostName.service(spec.host, from: namespace)
        else { return [] }
        return [Reference(to: .namespaced(.service, service, in: mesh), at: .spec.appending("host"), .weak)]
    }
}
