internal import MeshCore
package import MeshModel

/// The diagnostics that a change of a mesh brings about, found without compiling the rest of the mesh.
package struct DryRun {
    /// The diagnostics, before and after the change, of all objects that the change may touch.
    package let before: [Diagnostic]
    package let after: [Diagnostic]

    /// - Parameter change: in what the states differ, at least; of anything but releases.
    package init(_ change: MeshChange, from old: MeshState, to new: MeshState) {
        let scope = MeshPart(touchedBy: change, old, new)
        var before = Compiler(scope, of: old)
        var after = before
        _ = after.update(scope.part(of: new), change)
        before.compileDestinations()
        after.compileDestinations()
        self.before = before.findings
        self.after = after.findings
    }

    /// The diagnostics that the change is to blame for.
    package var caused: [Diagnostic] {
        let known = Set(before)
        return after.filter { !known.contains($0) }
    }
}
