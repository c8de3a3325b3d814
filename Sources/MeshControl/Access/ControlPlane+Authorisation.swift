internal import MeshCore
internal import MeshIdentity

extension ControlPlane {
    /// Checks that a caller may do something somewhere.
    ///
    /// - Throws: ``ControlError/notFound(_:)`` where the caller may not even know what is there: outside of its own
    ///   tenant. ``ControlError/forbidden(_:)`` inside of it.
    func authorise(_ caller: Caller, _ permission: Permission, in scope: ObjectScope) throws {
        let isPlatform = caller.role == .platformAdmin
        if let tenant = scope.tenant {
            guard isPlatform || caller.tenant == tenant else { throw ControlError.notFound("tenant \(tenant)") }
        } else {
            guard isPlatform else { throw ControlError.forbidden(permission) }
        }
        guard permission.roles.contains(caller.role), caller.mayEnter(mesh: scope.mesh, namespace: scope.namespace)
        else {
            throw ControlError.forbidden(permission)
        }
    }
}
