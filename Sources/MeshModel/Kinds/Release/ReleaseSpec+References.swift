package import Documents
package import GrayRelease
package import MeshCore

extension ReleaseSpec {
    /// The service, its two versions and its analysis templates. As long as the release is active they stay, which is for its status to say: as
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
        ] + templates(spec, in: namespace, mesh) + secrets(spec, of: key)
            + spec.channels.map { pointer, channel in
                Reference(
                    to: .namespaced(
                        .notificationChannel, NamespacedName(namespace: namespace, name: channel), in: mesh),
                    at: pointer, .weak)
            }
    }

    /// The keys that sign its calls.
    private static func secrets(_ spec: ReleaseSpec, of key: ObjectKey) -> [Reference] {
        let steps = JSONPointer.spec.appending("strategy").appending("steps")
        return spec.strategy.steps.enumerated().compactMap { index, step in
            guard case .webhook(let call) = step.action, let secret = call.secret else { return nil }
            let pointer = steps.appending(index).appending("webhook").appending("secret").appending("secretRef")
            return Reference(to: secret, at: pointer, of: key)
        }
    }

    /// The places that name notification channels.
    package var channels: [(pointer: JSONPointer, name: Name)] {
        let steps = JSONPointer.spec.appending("strategy").appending("steps")
        return notifications.enumerated().map { index, notification in
            let pointer = JSONPointer.spec.appending("notifications").appending(index)
            return (pointer.appending("channel"), notification.channel)
        }
            + strategy.steps.enumerated().flatMap { index, step -> [(JSONPointer, Name)] in
                guard case .notify(let note) = step.action else { return [] }
                let pointer = steps.appending(index).appending("notify").appending("channels")
                return note.channels.enumerated().map { (pointer.appending($0), $1) }
            }
    }

    /// The templates of the namespace that its analyses name, which it copies at its start.
    private static func templates(_ spec: ReleaseSpec, in namespace: Name, _ mesh: MeshKey) -> [Reference] {
        let strategy = JSONPointer.spec.appending("strategy")
        var uses = spec.strategy.steps.enumerated().compactMap { index, step in
            step.analysis.map { (strategy.appending("steps").appending(index).appending("analysis"), $0) }
        }
        if let background = spec.strategy.backgroundAnalysis {
            uses.append((strategy.appending("backgroundAnalysis"), background.use))
        }
        if let use = spec.strategy.postPromotionAnalysis {
            uses.append((strategy.appending("postPromotionAnalysis"), use))
        }
        return uses.flatMap { pointer, use in
            use.templates.enumerated().compactMap { index, template in
                Name(template).map { name in
                    Reference(
                        to: .namespaced(.analysisTemplate, NamespacedName(namespace: namespace, name: name), in: mesh),
                        at: pointer.appending("templates").appending(index), .weak)
                }
            }
        }
    }
}
