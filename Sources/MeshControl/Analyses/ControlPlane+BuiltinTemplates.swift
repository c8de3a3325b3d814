internal import Analysis
package import Documents
internal import MeshCore
internal import MeshModel

extension ControlPlane {
    /// The templates that come with the server, as documents by which they are named and looked at; nobody can write them.
    package var builtinTemplates: [JSONValue] {
        BuiltinTemplates.all.sorted { $0.key < $1.key }.map { name, template in
            [
                "apiVersion": "sluice/v1", "kind": .string(Kind.analysisTemplate.name),
                "metadata": ["name": .string(name)], "spec": template.json,
            ]
        }
    }
}
